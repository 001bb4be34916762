"""Incidents are acknowledged and resolved in words, by those who may, once it is confirmed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.copilot.replies import Kind, Reply
from monitoring import incidents
from monitoring.models import Incident
from registry.models import ModelVersion
from tests.monitoring.browsing import open_incident

Ask = Callable[..., Reply]

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(make_version: Callable[..., ModelVersion]) -> Incident:
    return open_incident(make_version("canary"))


@pytest.mark.parametrize(
    "words", ["acknowledge incident {}", "Ack the incident #{}.", "please acknowledge incident {}"]
)
def test_an_incident_is_acknowledged_once_confirmed(
    incident: Incident, ask: Ask, confirm: Ask, words: str
) -> None:
    plan = ask(words.format(incident.pk))
    incident.refresh_from_db()
    assert (plan.kind, incident.acknowledged_at) == (Kind.PLAN, None)

    done = confirm(plan)

    assert done.says == (f"Done. Incident {incident.pk} is acknowledged by olga.",)
    assert str(done.call) == f"POST /api/model-registry/incidents/{incident.pk}/acknowledge {{}}"


def test_the_reason_is_the_note(incident: Incident, ask: Ask, confirm: Ask) -> None:
    confirm(ask(f"resolve incident {incident.pk} because the feed is back"))

    incident.refresh_from_db()
    assert incident.resolution is not None
    assert incident.resolution.text == "the feed is back"


@pytest.mark.parametrize("deed", ["acknowledge", "resolve"])
def test_what_is_done_already_is_said(incident: Incident, ask: Ask, deed: str) -> None:
    incidents.resolve(incident, actor="system:monitor", now=timezone.now())

    said = ask(f"{deed} incident {incident.pk}")

    assert said.kind is Kind.REFUSAL
    assert "is resolved by rollback monitor already" in said.says[0]


def test_what_somebody_did_meanwhile_stands(incident: Incident, ask: Ask, confirm: Ask) -> None:
    plan = ask(f"acknowledge incident {incident.pk}")
    incidents.acknowledge(incident, actor="system:monitor", now=timezone.now())

    assert "acknowledged by rollback monitor" in confirm(plan).says[0]


@pytest.mark.parametrize(
    "words",
    [
        "do not acknowledge incident {}",
        "resolve incident {} tomorrow",
        "resolve incident {} if it is over",
        "acknowledge incident {} and incident 2",
        "resolve all incidents",
        "acknowledge incident",
    ],
)
def test_what_is_not_surely_one_deed_is_left_alone(
    incident: Incident, ask: Ask, words: str
) -> None:
    assert ask(words.format(incident.pk)).kind is not Kind.PLAN


def test_who_may_not_is_told_who_may(
    incident: Incident, ask: Ask, user_with: Callable[..., User]
) -> None:
    said = ask(f"resolve incident {incident.pk}", user=user_with("trainer", username="tom"))

    assert said.kind is Kind.REFUSAL
    assert "it needs the role operator or reviewer" in said.says[0]


def test_an_incident_that_is_not_there_is_none(ask: Ask) -> None:
    assert "There is no incident 99" in ask("acknowledge incident 99").says[0]
