"""The registry over HTTP: list, detail, register, statistics, history, traffic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from registry.models import ModelVersion
from tests.bad_inputs import nested

Maker = Callable[..., ModelVersion]
Caller = Callable[..., APIClient]

API = "/api/model-registry"
SEED_ENTRY = json.loads((Path(__file__).parent.parent / "test_model.json").read_text())
PLAIN = {key: value for key, value in SEED_ENTRY.items() if key != "tags"}

pytestmark = pytest.mark.django_db


def ids(answer: Any) -> list[str]:
    return [entry["model_id"] for entry in answer.json()["models"]]


def test_registering_answers_the_entry_in_development(api: Caller) -> None:
    answer = api("trainer").post(f"{API}/models", SEED_ENTRY, format="json")

    entry = answer.json()
    assert answer.status_code == 201
    assert entry["deploy_status"] == "development"
    assert (entry["constitutional_compliance"], entry["bias_check_passed"]) == (False, False)
    assert {key: entry[key] for key in PLAIN} == PLAIN


def test_everything_declared_is_answered_as_it_was_given(api: Caller) -> None:
    declared = SEED_ENTRY | {
        "description": "Finds fraud.\nSlowly.",
        "source": "git+ssh://host/repo@abc",
        "run_id": "run-7",
        "artifact_path": "models/fraud_detector.pkl",
        "artifact_sha256": "a" * 64,
        "training_timestamp": "2026-01-01T00:00:00Z",
        "expected_latency_p95_ms": 120.5,
        "metadata": {"intended_use": "cards", "nested": [1, {"deep": None}]},
        "tags": {"lang": "en", "nlp": ""},
        "risk_tier": "high",
    }

    entry = api("trainer").post(f"{API}/models", declared, format="json").json()

    assert {key: entry[key] for key in declared} == declared


def test_metadata_may_be_nested_as_deep_as_a_manifest_takes_it(api: Caller) -> None:
    deep = nested(64)

    answer = api("trainer").post(f"{API}/models", SEED_ENTRY | {"metadata": deep}, format="json")

    assert answer.status_code == 201
    assert answer.json()["metadata"] == deep


def test_plain_tags_may_come_as_a_list(api: Caller) -> None:
    body = SEED_ENTRY | {"tags": ["nlp", "transformer"]}

    entry = api("trainer").post(f"{API}/models", body, format="json").json()

    assert entry["tags"] == {"nlp": "", "transformer": ""}


def test_a_family_keeps_its_risk_tier(api: Caller, make_version: Maker) -> None:
    make_version(name="Scores")
    body = SEED_ENTRY | {"name": "Scores", "risk_tier": "low"}

    answer = api("trainer").post(f"{API}/models", body, format="json")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/risk_tier"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("stage=canary", ["b"]),
        ("framework=pytorch", ["c"]),
        ("team=search", ["c", "b"]),
        ("owner=olga", ["a"]),
        ("tags=nlp", ["c", "a"]),
        ("tags=nlp,transformer", ["a"]),
        ("tags=lang:en", ["c"]),
        ("tags=lang:de", []),
        ("q=rank", ["b"]),
        ("q=ranking+mod", ["b"]),
        ("q=ranking+nothing", []),
        ("q=%25%25", []),
        ("team=search&framework=sklearn", ["b"]),
    ],
)
def test_filters_narrow_and_combine(
    api: Caller, make_version: Maker, query: str, expected: list[str]
) -> None:
    make_version(model_id="a", name="A", owner="olga", tags={"nlp": "", "transformer": ""})
    make_version("canary", model_id="b", name="Ranking Model", team="search")
    make_version(
        model_id="c", name="C", team="search", framework="pytorch", tags={"nlp": "", "lang": "en"}
    )

    assert ids(api("trainer").get(f"{API}/models?{query}")) == expected


def test_a_filter_nobody_knows_is_refused_by_name(api: Caller) -> None:
    answer = api("trainer").get(f"{API}/models?stge=canary")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/stge"


def test_pages_follow_each_other_without_gaps_or_repeats(api: Caller, make_version: Maker) -> None:
    made = [make_version().model_id for _ in range(5)]
    client, found, cursor = api("trainer"), [], ""

    for _ in range(3):
        answer = client.get(f"{API}/models?limit=2{cursor}")
        found += ids(answer)
        cursor = f"&cursor={answer.json()['next']}"

    assert found == made[::-1]
    assert answer.json()["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=a2E"])
def test_a_bad_page_is_refused(api: Caller, query: str) -> None:
    assert api("trainer").get(f"{API}/models?{query}").status_code == 400


def test_a_list_s_queries_do_not_grow_with_its_rows(api: Caller, make_version: Maker) -> None:
    client = api("trainer")

    def queries(count: int) -> int:
        for _ in range(count):
            make_version(tags={"nlp": ""})
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"{API}/models").status_code == 200
        return len(seen)

    client.get(f"{API}/models")
    few, many = queries(2), queries(10)
    assert few == many
    assert many <= 8


def test_the_detail_has_an_etag_that_changes_with_the_entry(
    api: Caller, make_version: Maker
) -> None:
    version, client = make_version(), api("trainer")
    path = f"{API}/models/{version.model_id}"

    before = client.get(path)["ETag"]
    client.patch(path, {"description": "new"}, format="json")

    assert client.get(path)["ETag"] != before


def test_an_unknown_model_is_not_found(api: Caller) -> None:
    answer = api("trainer").get(f"{API}/models/nobody")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert "There is no model 'nobody'" in answer.json()["detail"]


def test_statistics_count_by_stage_framework_and_team(api: Caller, make_version: Maker) -> None:
    make_version()
    make_version("canary", framework="pytorch", team="search")

    found = api("trainer").get(f"{API}/stats").json()

    assert list(found) == ["total_models", "by_stage", "by_framework", "by_team", "open_incidents"]
    assert found["total_models"] == 2
    assert found["by_stage"]["canary"] == found["by_stage"]["development"] == 1
    assert found["by_framework"] == {"pytorch": 1, "sklearn": 1}
    assert found["by_team"] == {"fraud_prevention": 1, "search": 1}
    assert found["open_incidents"] == 0


def test_history_tells_who_did_what_newest_first(api: Caller, make_version: Maker) -> None:
    version = make_version("sandbox")

    found = api("trainer").get(f"{API}/models/{version.model_id}/history").json()

    assert [e["event_type"] for e in found["events"]] == ["model.promoted", "model.registered"]
    assert found["events"][1]["actor"] == "registrant"


def test_traffic_is_answered_once_and_then_only_when_it_changes(
    api: Caller, make_version: Maker
) -> None:
    version = make_version("production", name="Fraud Detector")
    client = api("serving")
    path = f"{API}/families/Fraud%20Detector/traffic"

    first = client.get(path)
    again = client.get(path, HTTP_IF_NONE_MATCH=first["ETag"])

    assert first.json()["targets"][0] == {
        "model_id": version.model_id,
        "artifact_uri": "",
        "sha256": None,
        "basis_points": 10_000,
        "ranges": [[0, 10_000]],
    }
    assert (again.status_code, again.content) == (304, b"")


def test_a_family_never_deployed_has_no_targets(api: Caller, make_version: Maker) -> None:
    make_version(name="Idle")

    assert api("serving").get(f"{API}/families/Idle/traffic").json()["targets"] == []
    assert api("serving").get(f"{API}/families/Nobody/traffic").status_code == 404


@pytest.mark.parametrize("name", ["Fraud Detector", "modèle 7", "日本語", "a.b-c_d", "100 %"])
def test_any_printable_name_is_a_family(api: Caller, name: str) -> None:
    body = SEED_ENTRY | {"name": name}

    assert api("trainer").post(f"{API}/models", body, format="json").json()["name"] == name


@pytest.mark.parametrize("name", ["a/b", "a:b", "", " a", "a\tb", "x" * 257])
def test_names_that_would_break_addresses_are_refused(api: Caller, name: str) -> None:
    answer = api("trainer").post(f"{API}/models", SEED_ENTRY | {"name": name}, format="json")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/name"
