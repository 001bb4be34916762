"""Bad input is refused by status, field and remedy, and changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from rest_framework.test import APIClient

from registry.models import ModelFamily, ModelVersion
from tests.bad_inputs import SNAPSHOT, TRIED, WATCHED, Bad, calls
from tests.evaluations import files
from tests.people import People

API = "/api/model-registry/"


@pytest.fixture
def world(db: None, make_version: Callable[..., ModelVersion]) -> None:
    """One model in sandbox, whose owner is a reviewer too, and one in canary."""
    make_version("sandbox", model_id=TRIED, name="Tried", version="1.0.0", owner="oona")
    make_version("canary", model_id=WATCHED, name="Watched", version="1.0.0")


@pytest.fixture
def caller(world: None, api: Callable[..., APIClient]) -> Callable[[str], APIClient]:
    """A client with a token of a role; ``owner`` is a reviewer who owns the model in sandbox."""

    def make(who: str) -> APIClient:
        if who == "owner":
            return api("reviewer", username="oona")
        if who == "serving":
            return api(who, family=ModelFamily.objects.get(name="Watched"))
        client = api() if who.startswith("assay_") else api(who)
        if who.startswith("assay_"):
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {who}")
        return client

    return make


@pytest.mark.parametrize(
    "bad", list(calls()), ids=lambda bad: f"{bad.method} {bad.path}: {bad.name}"
)
def test_it_is_refused_by_field_and_changes_nothing(
    bad: Bad, caller: Callable[[str], APIClient]
) -> None:
    client = caller(bad.who)
    before = everything()

    answer = send(client, bad)

    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (bad.status, bad.status), problem
    assert answer["Content-Type"] == "application/problem+json"
    assert pointers(problem) == ([] if bad.pointer is None else [bad.pointer]), problem
    assert bad.says in problem["detail"]
    assert ("WWW-Authenticate" in answer) is (bad.status == 401)
    assert everything() == before


def test_a_taken_name_answers_with_the_entry_that_has_it(
    caller: Callable[[str], APIClient],
) -> None:
    taken = next(bad for bad in calls() if bad.name == "a taken version")

    assert send(caller("trainer"), taken).json()["existing"] == TRIED


def test_a_closed_gate_names_every_blocker(caller: Callable[[str], APIClient]) -> None:
    unreviewed = next(bad for bad in calls() if bad.name == "an unreviewed canary")

    assert len(send(caller("trainer"), unreviewed).json()["blockers"]) == 3


def stored_files() -> set[Path]:
    """Everything in the artifact store, quarantine included."""
    return {file for file in Path(settings.ASSAY_ARTIFACTS).rglob("*") if file.is_file()}


def test_a_wrong_digest_leaves_no_artifact(caller: Callable[[str], APIClient]) -> None:
    trainer, path = caller("trainer"), f"{API}models/{TRIED}/artifact"
    before, files = everything(), stored_files()

    for digest, status in (("sha-256=" + "0" * 64, 422), ("md5=abc", 400), ("", 400)):
        answer = trainer.put(path, b"weights", content_type="a/b", HTTP_DIGEST=digest)

        assert (answer.status_code, pointers(answer.json())) == (status, ["/Digest"])
    assert everything() == before
    assert stored_files() == files


def test_a_conflicting_repeat_is_listed_and_the_first_report_stands(
    caller: Callable[[str], APIClient],
) -> None:
    serving, path = caller("serving"), f"{API}models/{WATCHED}/performance"
    serving.post(path, SNAPSHOT, format="json")
    before = everything()

    other = SNAPSHOT | {"error_rate": 0.5}
    answer = serving.post(path, [SNAPSHOT, other], format="json")

    assert answer.json() == {
        "accepted": 0,
        "duplicates": 1,
        "conflicts": [
            {"index": 1, "detail": "This interval was reported before with other values."}
        ],
    }
    assert everything() == before


class Malicious:
    """What its pickle loads is a call that leaves a file behind."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.trap),)


def test_a_malicious_pickle_is_kept_and_never_loaded(people: People, tmp_path: Path) -> None:
    trap, model_id = tmp_path / "sprung", people.register()
    poison = pickle.dumps(Malicious(trap))
    held_out = files.dataset_file(tmp_path / "held_out").read_bytes()
    people.upload("datasets/held_out_for_a_pickle", held_out)

    stored = people.upload(f"models/{model_id}/artifact", poison)
    asked = {"dataset": "held_out_for_a_pickle", "gate": True}
    refusal = people.ask("tom", "POST", f"models/{model_id}/evaluations", asked, expect=422)

    assert stored == {
        "sha256": hashlib.sha256(poison).hexdigest(),
        "size": len(poison),
        "format": "opaque",
    }
    assert refusal["type"] == "/problems/not-measurable"
    assert "safetensors" in refusal["detail"]
    assert not trap.exists()
    pickle.loads(poison)
    assert trap.exists(), "the trap would not have sprung"


def send(client: APIClient, bad: Bad) -> Any:
    """Make the bad call."""
    if bad.body is None:
        return client.generic(bad.method, API + bad.path)
    content: Any = bad.body if isinstance(bad.body, bytes) else json.dumps(bad.body)
    return client.generic(bad.method, API + bad.path, content, content_type="application/json")


def pointers(problem: dict[str, Any]) -> list[str]:
    """The fields that a refusal names."""
    return [error["pointer"] for error in problem.get("errors", [])]


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but for when a token was last used."""
    rows = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table != "registry_apitoken":
                cursor.execute(f"select md5(t::text) from {table} t order by 1")
                rows[table] = cursor.fetchall()
    return rows
