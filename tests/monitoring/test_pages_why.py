"""Why a version was rolled back is answered from the record, with the evidence of the decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import rollbacks
from monitoring.models import Incident
from monitoring.pages import incidents, version
from monitoring.pages.why import Why, last_rollback
from registry.ledger import deliveries
from registry.models import ModelVersion
from tests.conftest import NOW, take
from tests.monitoring.makers import enter, report

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


def why(found: ModelVersion) -> Why | None:
    found.refresh_from_db()
    return last_rollback(found, list(found.transitions.select_related("remark")))


@pytest.fixture
def sick_canary(make_version: Maker) -> ModelVersion:
    """A canary the monitor took out for its error rate."""
    canary = enter(make_version("canary", expected_latency_p95_ms=100.0, share=20))
    report(canary, at=NOW - timedelta(seconds=2), error_rate=0.2)
    rollbacks.request_if_degraded(canary, now=NOW)
    while deliveries.deliver_to_verbs(now=timezone.now):
        pass
    return canary


def test_a_version_that_was_never_rolled_back_has_no_why(make_version: Maker) -> None:
    assert why(make_version("production")) is None


def test_the_monitors_reasons_share_and_evidence_are_told(sick_canary: ModelVersion) -> None:
    found = why(sick_canary)

    assert found is not None
    assert found.stands
    assert found.by == "rollback monitor"
    assert found.reasons == ("error rate 20 % > 5 % over 1,000 requests",)
    assert found.share == 20
    assert found.incident == Incident.objects.get()
    assert [(f.title, f.value, f.threshold, f.verdict) for f in found.evidence] == [
        ("Error rate", "20 %", "5 %", "rollback"),
        ("p95 latency", "90 ms", "150 ms", "ok"),
        ("Out of distribution", "5 %", "20 %", "ok"),
        ("Input drift", "0.05", "0.3", "ok"),
    ]


def test_the_reaction_is_counted_from_the_newest_snapshot_of_the_decision(
    sick_canary: ModelVersion,
) -> None:
    found = why(sick_canary)

    assert found is not None
    made = found.transition.at - (NOW - timedelta(seconds=2))
    assert found.reaction_seconds == made.total_seconds()


def test_a_person_s_reason_stands_where_no_trigger_spoke(make_version: Maker) -> None:
    canary = make_version("canary")
    rollbacks.roll_back(canary, actor="user:404", now=NOW, reason="wrong labels in German")

    found = why(canary)

    assert found is not None
    assert found.reasons == ("wrong labels in German",)
    assert found.reaction_seconds is None
    assert found.evidence == ()


def test_what_answers_instead_is_told(make_version: Maker) -> None:
    former = make_version("production")
    current = make_version("production")
    rollbacks.roll_back(current, actor="user:404", now=NOW, reason="slow")

    found = why(current)

    assert found is not None
    assert found.restored == former
    assert found.share is None


def test_a_version_that_came_back_keeps_its_why_as_a_thing_of_the_past(
    sick_canary: ModelVersion,
) -> None:
    sick_canary.refresh_from_db()
    take(sick_canary, "sandbox")

    found = why(sick_canary)

    assert found is not None
    assert not found.stands


def test_the_page_names_an_incident_once(sick_canary: ModelVersion) -> None:
    sick_canary.refresh_from_db()

    live = version.live(sick_canary, asked="", now=NOW)

    assert live.why is not None
    assert live.incidents == []
    assert live.verdict == ""


def test_the_charts_keep_the_limits_the_version_was_judged_by(sick_canary: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=sick_canary.pk).update(expected_latency_p95_ms=1000.0)
    sick_canary.refresh_from_db()

    live = version.live(sick_canary, asked="", now=NOW)

    assert ">150 ms</text>" in live.timeline.charts["latency_p95_ms"]


def test_an_incident_tells_its_story_in_order(sick_canary: ModelVersion) -> None:
    Incident.objects.update(opened_at=NOW)

    story = incidents.story(Incident.objects.get().pk)

    assert story.why is not None
    assert story.why.share == 20
    events = [line.title for line in story.timeline.lines if line.event_type]
    assert events[-4:] == [
        "Rollback requested",
        "Playbook started",
        "Rolled back",
        "Incident opened",
    ]


def test_the_story_includes_the_version_that_took_over(make_version: Maker) -> None:
    make_version("production")
    current = make_version("production")
    rollbacks.roll_back(current, actor="user:404", now=timezone.now(), reason="slow")

    story = incidents.story(Incident.objects.get().pk)

    assert "Restored to production" in [line.title for line in story.timeline.lines]
