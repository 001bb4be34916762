"""Every subscription in config/subscriptions.py has its effect in the world, also after a loss."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from config.subscriptions import SUBSCRIPTIONS
from tests.flows import handlers
from tests.people import People, eventually
from tests.processes import needs_proc, paused

TELL = "tests.flows.handlers.tell"
NO_BROKER = {"REDIS_URL": "redis+socket:///nowhere/valkey.sock"}


@pytest.fixture(scope="module", autouse=True)
def _subscribed(people: People) -> None:
    """A user's handler has asked for rollbacks, as its module does in process."""
    people.run("-c", "from tests.flows import handlers; handlers.subscribe()")


def test_a_degradation_reaches_everybody_who_is_to_hear_of_it(people: People) -> None:
    model_id = people.in_canary()

    people.report(model_id, error_rate=0.2)

    assert people.rolled_back(model_id)["by"] == "rollback monitor"
    told_everybody(people, model_id, "error rate 20 % > 5 % over 1,000 requests")


@needs_proc
def test_no_step_from_the_snapshot_to_the_mail_waits_for_beat(people: People) -> None:
    model_id = people.in_canary()

    with paused(people.running, " beat "):
        people.report(model_id, error_rate=0.25)

        assert people.rolled_back(model_id)["by"] == "rollback monitor"
        told_everybody(people, model_id, "error rate 25 % > 5 % over 1,000 requests")


def test_beat_pays_what_a_lost_broker_left_owing_to_the_playbook(people: People) -> None:
    model_id = people.in_canary()

    people.run("-m", "tests.flows.cut_off", "degrade", model_id, **NO_BROKER)

    assert people.rolled_back(model_id)["by"] == "rollback monitor"
    told_everybody(people, model_id, "error rate 50 % > 5 % over 1,000 requests")


def test_beat_pays_what_a_lost_broker_left_owing_to_the_outside(people: People) -> None:
    model_id = people.in_canary()

    people.run("-m", "tests.flows.cut_off", "roll_back", model_id, **NO_BROKER)

    assert people.stage(model_id) == "rollback"
    told_everybody(people, model_id, "Cut off.")


def test_beat_checks_what_a_lost_broker_left_unchecked(people: People) -> None:
    model_id = people.in_canary()

    snapshot = (
        "from datetime import datetime; from assay import get_registry, ModelPerformanceSnapshot;"
        f"snapshot = ModelPerformanceSnapshot(model_id={model_id!r}, timestamp=datetime.now(),"
        "num_requests=1000, error_rate=0.3); get_registry().record_performance_snapshot(snapshot)"
    )
    people.run("-c", snapshot, **NO_BROKER)

    assert people.rolled_back(model_id)["reasons"] == ["error rate 30 % > 5 % over 1,000 requests"]


def test_these_are_the_subscriptions_tested_here() -> None:
    assert {
        (event_type, subscriber.handler)
        for event_type, subscribers in SUBSCRIPTIONS.items()
        for subscriber in subscribers
    } == {
        ("model.rollback.requested", "monitoring.playbooks.engine.answer"),
        *(
            (event_type, f"monitoring.notifications.{channel}.announce")
            for event_type in ("incident.opened", "incident.escalated")
            for channel in ("log", "mail", "inbox")
        ),
    }


def told_everybody(people: People, model_id: str, reason: str) -> None:
    """Wait for each effect of one rollback: incident, log line, mail, the user's handler."""
    (incident,) = people.incidents(model_id)
    said = f"incident {incident['incident_id']} {incident['severity']} rollback: {model_id} was"
    eventually(lambda: said in logged(people))
    mail = eventually(lambda: mailed(people, model_id))
    assert mail["To"] == "operations@localhost"
    assert reason in mail.get_content()
    assert f"/incidents/{incident['incident_id']}/" in mail.get_content()
    told = eventually(lambda: told_to_the_user(people, model_id))
    assert (told["event_type"], told["reasons"]) == ("model.rollback.requested", [reason])


def logged(people: People) -> str:
    """What the workers have logged."""
    return "".join(log.read_text() for log in (people.running.home / "log").glob("*.log"))


def mailed(people: People, model_id: str) -> EmailMessage | None:
    """The mail that tells of a version's rollback."""
    for path in (people.running.home / "mail").glob("*.log"):
        for text in path.read_bytes().split(b"-" * 79 + b"\n"):
            message = message_from_bytes(text.strip(), policy=policy.default)
            if model_id in str(message["Subject"]):
                assert isinstance(message, EmailMessage)
                return message
    return None


def told_to_the_user(people: People, model_id: str) -> dict[str, Any] | None:
    """What the user's handler has left behind."""
    path = people.running.home / Path(handlers.FOLDER).name / f"{model_id}.model.rollback.requested"
    found: dict[str, Any] | None = json.loads(path.read_text() or "null") if path.exists() else None
    return found
