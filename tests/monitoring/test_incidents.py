"""Incidents: one of a kind is open, repeats join it, and people deal with it on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.utils import timezone

from monitoring import followings, incidents, policies, rollbacks
from monitoring.models import Incident, IncidentKind, Severity
from monitoring.notifications import people
from registry.errors import InvalidInput
from registry.ledger import deliveries
from registry.models import Delivery, Event, ModelVersion
from tests.conftest import NOW, take
from tests.monitoring.makers import enter, report

Maker = Callable[..., ModelVersion]
OLGA = "user:7"

pytestmark = pytest.mark.django_db


def breach(version: ModelVersion, *, minutes: int = 0, **more: Any) -> Incident:
    told: dict[str, Any] = {"severity": Severity.WARNING, "summary": "It is slow."}
    at = NOW + timedelta(minutes=minutes)
    return incidents.open_for(
        version, IncidentKind.PLAYBOOK, actor="system:monitor", now=at, **told | more
    )


def recorded(event_type: str) -> list[Event]:
    return list(Event.objects.filter(event_type=event_type).order_by("pk"))


def announced() -> list[str]:
    """The events that people are told of by mail."""
    owed = Delivery.objects.filter(subscriber="monitoring.notifications.mail.announce")
    return list(owed.order_by("pk").values_list("event__event_type", flat=True))


def test_a_repeat_joins_the_open_incident_and_tells_nobody_anew(make_version: Maker) -> None:
    canary = make_version("canary")
    first = breach(canary)

    second = breach(canary, minutes=3, summary="It is slow again.")

    assert second == first
    assert (second.breaches, second.last_breach_at) == (2, NOW + timedelta(minutes=3))
    (joined,) = recorded("incident.joined")
    assert joined.payload["summary"] == "It is slow again."
    assert joined.payload["breaches"] == 2
    assert announced() == ["incident.opened"]


def test_people_are_told_anew_when_it_gets_graver(
    make_version: Maker, mailoutbox: list[EmailMessage]
) -> None:
    canary = make_version("canary")
    breach(canary)

    joined = breach(canary, severity=Severity.CRITICAL)

    assert joined.severity == Severity.CRITICAL
    assert announced() == ["incident.opened", "incident.escalated"]
    assert recorded("incident.escalated")[0].payload["severity"] == "critical"
    while deliveries.send_outside(now=timezone.now):
        pass
    assert [mail.subject.partition(":")[0] for mail in mailoutbox] == [
        "[Assay] warning",
        "[Assay] critical",
    ]


def test_a_lesser_repeat_does_not_make_it_less_grave(make_version: Maker) -> None:
    canary = make_version("canary")
    breach(canary, severity=Severity.CRITICAL)

    assert breach(canary).severity == Severity.CRITICAL
    assert announced() == ["incident.opened"]


def judge(version: ModelVersion, *, seconds: int) -> None:
    rollbacks.request_if_degraded(version, now=NOW + timedelta(seconds=seconds))


def test_a_breach_that_lasts_is_one_and_one_that_comes_again_is_two(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    policies.change(canary.family, {"mode": "notify", "window_minutes": 1}, actor="user:1")
    report(canary, error_rate=0.5)
    for second in (0, 5, 10):
        judge(canary, seconds=second)
    lasting = Incident.objects.get()
    report(canary, at=NOW + timedelta(seconds=90))
    judge(canary, seconds=90)

    report(canary, at=NOW + timedelta(seconds=180), error_rate=0.5)
    judge(canary, seconds=180)

    again = Incident.objects.get()
    assert (lasting.breaches, again.breaches) == (1, 2)
    assert again.last_breach_at == NOW + timedelta(seconds=180)
    assert len(recorded("incident.joined")) == 1


def test_a_second_rollback_joins_and_answers_why_it_is_out_now(make_version: Maker) -> None:
    canary = make_version("canary")
    first = rollbacks.roll_back(canary, actor=OLGA, now=NOW, reason="It fell.")
    for stage in ("sandbox", "canary"):
        take(canary, stage)

    second = rollbacks.roll_back(canary, actor=OLGA, now=NOW, reason="It fell again.")

    assert first.incident == second.incident
    incident = Incident.objects.get()
    assert incident.transition == second.transition
    assert incident.remark is not None
    assert incident.remark.text == "It fell again."


def test_the_same_rollback_told_twice_is_counted_once(make_version: Maker) -> None:
    canary = make_version("canary")
    made = rollbacks.roll_back(canary, actor=OLGA, now=NOW, reason="It fell.").transition

    rollbacks.open_incident(made, actor=OLGA, now=NOW, verdict=None)

    assert Incident.objects.get().breaches == 1


@pytest.mark.parametrize(("minutes", "named"), [(59, True), (61, False)])
def test_what_comes_again_within_an_hour_names_the_former(
    make_version: Maker, minutes: int, named: bool
) -> None:
    canary = make_version("canary")
    first = breach(canary)
    incidents.resolve(first, actor=OLGA, now=NOW)

    second = breach(canary, minutes=minutes)

    assert second != first
    assert second.former == (first if named else None)
    opened = recorded("incident.opened")[-1].payload
    assert opened.get("former_incident_id") == (first.pk if named else None)


def test_the_first_to_acknowledge_stands(make_version: Maker) -> None:
    incident = breach(make_version("canary"))
    incidents.acknowledge(incident, actor=OLGA, now=NOW)

    held = incidents.acknowledge(incident, actor="user:8", now=NOW + timedelta(minutes=1))

    assert (held.acknowledged_by, held.acknowledged_at) == (OLGA, NOW)
    assert [event.actor for event in recorded("incident.acknowledged")] == [OLGA]


def test_what_is_resolved_is_not_acknowledged_any_more(make_version: Maker) -> None:
    incident = breach(make_version("canary"))
    incidents.resolve(incident, actor=OLGA, now=NOW)

    assert incidents.acknowledge(incident, actor=OLGA, now=NOW).acknowledged_at is None
    assert recorded("incident.acknowledged") == []


def test_resolving_twice_keeps_the_first_word(make_version: Maker) -> None:
    incident = breach(make_version("canary"))
    incidents.resolve(incident, actor=OLGA, now=NOW, note="A broken feed.")

    held = incidents.resolve(incident, actor="user:8", now=NOW, note="Something else.")

    assert held.resolved_by == OLGA
    (resolved,) = recorded("incident.resolved")
    assert held.resolution is not None
    assert (held.resolution.text, resolved.remark) == ("A broken feed.", held.resolution)
    assert "A broken feed." not in str(resolved.payload)


def test_comments_are_on_record_and_also_after_the_end(make_version: Maker) -> None:
    incident = breach(make_version("canary"))
    incidents.comment(incident, "The feed is late.\r\nI call them.", actor=OLGA)
    incidents.resolve(incident, actor=OLGA, now=NOW)

    incidents.comment(incident, "They called back.", actor=OLGA)

    said = [event.remark.text for event in recorded("incident.commented") if event.remark]
    assert said == ["The feed is late.\nI call them.", "They called back."]


@pytest.mark.parametrize(
    ("text", "says"),
    [(" \n\t", "at least one word"), ("a" * 4001, "at most 4000"), ("a\0b", "printable")],
)
def test_words_that_say_nothing_are_refused(make_version: Maker, text: str, says: str) -> None:
    incident = breach(make_version("canary"))

    with pytest.raises(InvalidInput, match=says) as refusal:
        incidents.comment(incident, text, actor=OLGA)

    assert refusal.value.errors[0].pointer == "/text"
    assert recorded("incident.commented") == []


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"acknowledged_at": NOW}, "acknowledgement_says_who_and_when"),
        ({"acknowledged_by": OLGA}, "acknowledgement_says_who_and_when"),
        ({"resolution": True}, "only_what_is_resolved_has_a_resolution"),
    ],
)
def test_the_database_holds_it(
    make_version: Maker, fields: dict[str, Any], constraint: str
) -> None:
    incident = breach(make_version("canary"))
    said = incidents.comment(incident, "Words.", actor=OLGA).remark
    given = {name: said if value is True else value for name, value in fields.items()}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Incident.objects.filter(pk=incident.pk).update(**given)


def told() -> list[str]:
    event = recorded("incident.opened")[-1]
    others = people.concerned(event).exclude(username="local")  # who is at the machine itself
    return sorted(others.values_list("username", flat=True))


@pytest.fixture
def staff(user_with: Callable[..., User]) -> dict[str, User]:
    """An owner, an operator, and somebody who has nothing to do with the model."""
    return {
        "ml_team": user_with("trainer", username="ml_team"),
        "olga": user_with("operator", username="olga"),
        "rita": user_with("reviewer", username="rita"),
    }


def test_owner_operators_and_followers_are_told(
    make_version: Maker, staff: dict[str, User]
) -> None:
    canary = make_version("canary", owner="ml_team")
    breach(canary)
    before = told()

    followings.follow(staff["rita"], canary.family, now=NOW)

    assert before == ["ml_team", "olga"]
    assert told() == ["ml_team", "olga", "rita"]


@pytest.mark.parametrize(
    ("severity", "expected"),
    [(Severity.WARNING, []), (Severity.CRITICAL, ["ml_team", "olga"])],
)
def test_who_unfollowed_is_told_of_what_is_critical_where_it_is_theirs(
    make_version: Maker, staff: dict[str, User], severity: Severity, expected: list[str]
) -> None:
    canary = make_version("canary", owner="ml_team")
    followings.follow(staff["rita"], canary.family, now=NOW)
    for person in staff.values():
        followings.unfollow(person, canary.family, now=NOW)

    breach(canary, severity=severity)

    assert told() == expected


def test_following_twice_is_recorded_once(make_version: Maker, staff: dict[str, User]) -> None:
    family = make_version().family

    for minute in range(2):
        followings.follow(staff["rita"], family, now=at_minute(minute))

    said = followings.said_by(staff["rita"], family)
    assert said is not None
    assert (said.follows, said.said_at) == (True, NOW)
    assert [e.payload for e in recorded("following.started")] == [{"family": family.name}]


def at_minute(minute: int) -> datetime:
    return NOW + timedelta(minutes=minute)
