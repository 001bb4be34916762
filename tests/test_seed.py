"""What the seed shows works as it is written there, in the order and by the people it needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config import env
from monitoring.models import PerformanceSnapshot
from registry import tokens
from registry.models import ModelVersion
from tests import seed_blocks
from tests.people import People, eventually
from tests.running import ROOT
from tests.seed_calls import TESTS, curl, web_of_the_test_run, without_curl
from tests.seed_steps import FLAGS, REGISTER, ROLES, STORY, V1

ZONES = {"Asia/Tokyo": {"JST"}, "America/Los_Angeles": {"PST", "PDT"}}  # and their clocks' names
Told = list[dict[str, Any]]
HANDLER = "tests.seed_handler.handle_model_rollback"
PAID = """
select d.* from registry_delivery d join registry_event e on e.id = d.event_id
where e.payload ->> 'model_id' = %s and d.subscriber = %s and d.state = 'done'
"""
METRICS = ["error_rate", "latency_p95_ms", "ood_rate", "input_drift_score"]


@pytest.fixture(scope="module")
def web_url(django_db_setup: None) -> Iterator[str]:
    with web_of_the_test_run() as url:
        yield url


@pytest.fixture(params=["in process", "over HTTP"])
def tell(request: pytest.FixtureRequest, committed: None) -> Callable[[str], Told]:
    """The story, told by a process of its own in a time zone."""
    issued = {name: tokens.issue(name, role=role) for name, role in ROLES.items()}
    way = {"DJANGO_SETTINGS_MODULE": "config.settings", "ASSAY_HOME": str(env.home())}
    if request.param == "over HTTP":
        way = {"ASSAY_URL": request.getfixturevalue("web_url")}
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}

    def run(zone: str) -> Told:
        done = subprocess.run(
            [sys.executable, "-m", "tests.seed_story"],
            cwd=ROOT,
            env=inherited | way | {"TZ": zone},
            input=json.dumps(issued),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        )
        told: Told = json.loads(done.stdout)
        return told

    return run


@pytest.mark.parametrize("zone", ZONES)
def test_the_python_blocks_tell_their_story(tell: Callable[[str], Told], zone: str) -> None:
    began = datetime.now(UTC)

    told = tell(zone)

    assert [(step["stage"], step["refused"]) for step in told] == [
        (use.stage, use.refused) for use in STORY
    ]
    unsaid = [
        said
        for use, step in zip(STORY, told, strict=True)
        for said in use.says
        if said not in step["says"]
    ]
    assert unsaid == []
    assert [step["flags"] for step in told] == [[passed, passed] for passed in reviewed()]
    assert {step["share"] for step in told if step["stage"] == "canary"} == {10.0}
    assert {step["zone"] for step in told} <= ZONES[zone]
    declared = ModelVersion.objects.get(model_id=V1).training_timestamp
    measured = PerformanceSnapshot.objects.filter(model_id=V1).earliest("timestamp").timestamp
    assert declared is not None
    assert began - timedelta(seconds=5) <= declared <= measured <= datetime.now(UTC)


def reviewed() -> Iterator[bool]:
    """After each step of the story, whether the model it is about has been reviewed."""
    passed = set()
    for use in STORY:
        if use.heading == FLAGS and not use.refused:
            passed.add(use.model_id)
        yield use.model_id in passed


@pytest.fixture
def subscribed(people: People) -> Iterator[None]:
    """The handler's module has been imported once, inside the product; undone at the end."""
    people.run("-c", "import tests.seed_handler")
    yield
    nothing = {"event_types": ["nothing.any_more"], "handler": HANDLER}
    people.ask("otto", "PUT", f"subscriptions/{HANDLER}", nothing)


def test_the_handler_is_called_by_the_worker(people: People, subscribed: None) -> None:
    model_id = people.in_canary()

    people.report(model_id, error_rate=0.2)

    assert people.rolled_back(model_id)["reasons"] == ["error rate 20 % > 5 % over 1,000 requests"]
    paid = eventually(lambda: people.rows(PAID, model_id, f"subscription:{HANDLER}"))
    assert [row["last_error"] for row in paid] == [""]
    assert people.stage(model_id) == "rollback"
    assert len(people.incidents(model_id)) == 1


def test_curl_registers_without_credentials(people: People) -> None:
    (line,) = seed_blocks.curl_lines("Register via API")

    status, entry = curl(line, people.running.url)

    assert (status, entry["model_id"], entry["deploy_status"]) == (201, V1, "development")
    assert (entry["registered_by"], entry["evaluation_metrics"]) == ("local", {"accuracy": 0.96})
    status, refusal = curl(line, people.running.url)
    assert (status, refusal["existing"]) == (409, V1)


def test_curl_lists_counts_and_registers_from_a_file(people: People) -> None:
    listing, counting, registering = seed_blocks.curl_lines("Test API Endpoints")
    before = curl(counting, people.running.url)[1]

    status, entry = curl(registering, people.running.url)

    assert (status, entry["model_id"], entry["tags"]) == (
        (201, "sentiment_v1", {"nlp": "", "transformer": ""})
    )
    assert curl(listing, people.running.url)[1]["models"][0]["model_id"] == "sentiment_v1"
    assert curl(counting, people.running.url)[1]["total_models"] == before["total_models"] + 1


def test_a_machine_without_curl_sends_the_same(people: People) -> None:
    (line,) = seed_blocks.curl_lines("Register via API")
    line = line.replace(V1, "sent_by_hand_v1").replace("Fraud Detector", "Sent By Hand")

    status, entry = without_curl(line.replace(seed_blocks.SERVER, people.running.url))

    assert (status, entry["model_id"]) == (201, "sent_by_hand_v1")
    assert without_curl(f"curl {people.running.url}/api/model-registry/models?q=hand") == (
        curl(f"curl {people.running.url}/api/model-registry/models?q=hand", "")
    )


def test_the_filters_find_what_they_say(people: People) -> None:
    fits = people.in_production(tags=["nlp", "transformer", "letters"])
    other = people.register(framework="sklearn", tags=["nlp"])

    for method, path, _ in seed_blocks.requests("1. List Models"):
        found = [model["model_id"] for model in called(people, method, path)["models"]]
        assert fits in found
        assert other in found if "?" not in path else other not in found


def test_details_have_the_seeds_names(people: People) -> None:
    ((method, path, _),) = seed_blocks.requests("2. Get Model Details")
    ((registering, models, _),) = seed_blocks.requests("3. Register Model")
    body = json.loads((TESTS / "test_model.json").read_text()) | {
        "model_id": "letters_v1",
        "name": "Letters",
    }

    registered = called(people, registering, models, body, expect=201)
    entry = called(people, method, path.format(model_id="letters_v1"))

    assert entry == registered
    assert seed_blocks.keywords(REGISTER) <= entry.keys()


def test_a_deployment_waits_for_its_review(people: People) -> None:
    ((method, path, body),) = seed_blocks.requests("4. Update Deployment")
    assert body is not None
    model_id = people.register()
    path = path.format(model_id=model_id)
    people.move(model_id, "sandbox")

    refusal = called(people, method, path, json.loads(body), expect=409)
    people.review(model_id)
    move = called(people, method, path, json.loads(body))

    assert len(refusal["blockers"]) == 3
    assert {name: move[name] for name in ("model_id", "status", "previous_status")} == {
        "model_id": model_id,
        "status": "canary",
        "previous_status": "sandbox",
    }
    assert move["canary_percentage"] == 10.0


def test_a_canary_has_a_card_a_check_and_a_way_back(people: People) -> None:
    ((carding, card_path, _),) = seed_blocks.requests("5. Generate Model Card")
    ((checking, check_path, _),) = seed_blocks.requests("6. Check Rollback")
    ((rolling, rollback_path, body),) = seed_blocks.requests("7. Execute Rollback")
    assert body is not None
    model_id = people.in_canary()

    card = called(people, carding, card_path.format(model_id=model_id), {}, expect=201)
    check = called(people, checking, check_path.format(model_id=model_id))
    done = called(people, rolling, rollback_path.format(model_id=model_id), json.loads(body))

    assert (card["revision"], card["json"]["model"]["model_id"]) == (1, model_id)
    assert card["markdown"].startswith("# ")
    assert card["html_url"].startswith("/")
    assert (check["should_rollback"], check["verdict"], check["window_minutes"]) == (
        (False, "no_data", 10)
    )
    assert [trigger["metric"] for trigger in check["triggers"]] == METRICS
    assert (done["status"], done["reasons"]) == ("rollback", ["High error rate detected"])
    assert people.incidents(model_id)[0]["incident_id"] == done["incident_id"]


def test_statistics_count_by_everything(people: People) -> None:
    ((method, path, _),) = seed_blocks.requests("8. Get Stats")
    people.in_canary(team="statisticians", framework="jax")

    stats = called(people, method, path)

    assert stats["by_stage"]["canary"] >= 1
    assert (stats["by_team"]["statisticians"], stats["by_framework"]["jax"]) == (1, 1)
    assert stats["total_models"] == sum(stats["by_stage"].values())
    assert stats["open_incidents"] == len(
        people.ask("tom", "GET", "incidents?state=open&limit=200")["incidents"]
    )


def test_co_pilots_calls_promote_and_say_why(people: People) -> None:
    (posting, path), (getting, _) = re.findall(
        r"→ (POST|GET) (/\S+)", seed_blocks.block("Co-Pilot Commands").text
    )
    model_id = people.register()
    people.move(model_id, "sandbox")
    people.review(model_id)

    move = called(people, posting, path.replace(V1, model_id), {"status": "canary"})
    people.report(model_id, ood_rate=0.5)
    people.rolled_back(model_id)
    entry = called(people, getting, f"/api/model-registry/models/{model_id}")

    assert move["status"] == "canary"
    assert entry["rollback"]["reasons"] == [
        "out-of-distribution rate 50 % > 20 % over 1,000 requests"
    ]


def called(people: People, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
    """The answer to a call that the seed shows, made without credentials."""
    return people.ask("", method, path.removeprefix("/api/model-registry/"), body, expect=expect)
