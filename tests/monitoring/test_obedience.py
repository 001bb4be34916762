"""Gateways that ignore us: requests of versions that are out, and shares that are not as they should."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from monitoring import obedience, snapshots
from monitoring.models import Incident, PerformanceSnapshot, RollbackPolicy
from monitoring.parsing import Snapshot
from monitoring.reported import Reported, reported
from monitoring.shares import Observed
from registry import actors, clock
from registry.models import Delivery, ModelVersion, TrafficPlan
from tests.conftest import NOW, take
from tests.monitoring.browsing import text
from tests.monitoring.makers import enter

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

STEP = 10  # seconds between reports


@pytest.fixture
def out(make_version: Maker) -> ModelVersion:
    """A canary that was rolled back five minutes ago."""
    return enter(make_version("rollback", model_id="sick"), ago=timedelta(minutes=5))


def ask(
    version: ModelVersion,
    requests: int,
    *,
    since: int,
    until: int = 0,
    source: str = "",
    **figures: Any,
) -> None:
    """Report so many requests in each interval that ended from ``since`` to ``until`` s ago."""
    rows = [
        Snapshot(
            timestamp=NOW - timedelta(seconds=ago), num_requests=requests, source=source, **figures
        )
        for ago in range(since, until - 1, -STEP)
    ]
    snapshots.store(version, rows)


def share(make_version: Maker, percentage: int = 10) -> tuple[ModelVersion, ModelVersion]:
    """Production and a canary, whose shares have stood for an hour."""
    production = make_version("production", model_id="stable")
    canary = make_version("canary", model_id="fresh", share=percentage)
    TrafficPlan.objects.update(changed_at=NOW - timedelta(hours=1))
    return enter(production), enter(canary)


def standing() -> list[tuple[str, str, str]]:
    rows = Incident.objects.filter(resolved_at=None).order_by("pk")
    return [(row.version.model_id, row.kind, row.severity) for row in rows]


def test_a_rolled_back_version_that_still_gets_requests_is_critical(out: ModelVersion) -> None:
    ask(out, 40, since=600)

    obedience.report(now=NOW)
    obedience.report(now=NOW)

    assert standing() == [("sick", "traffic_ignored", "critical")]
    incident = Incident.objects.get()
    # 24 intervals of 10 s began over a minute after it left, five minutes ago.
    assert "is in rollback, but has reported 960 requests" in incident.summary
    assert incident.breaches == 1
    announced = Delivery.objects.filter(event__event_type="incident.opened")
    assert {d.subscriber.split(".")[-2] for d in announced} == {"log", "mail", "inbox"}


def test_it_is_resolved_once_the_requests_stop(out: ModelVersion) -> None:
    ask(out, 40, since=600)
    obedience.report(now=NOW)

    obedience.report(now=NOW + timedelta(minutes=11))

    incident = Incident.objects.get()
    assert (incident.resolved_by, incident.resolved_at) == (
        actors.MONITOR,
        NOW + timedelta(minutes=11),
    )


def test_an_archived_version_is_a_warning(make_version: Maker) -> None:
    former = make_version("production", model_id="former")
    make_version("production", model_id="new")
    ask(enter(former), 5, since=100)

    obedience.report(now=NOW)

    assert standing() == [("former", "traffic_ignored", "warning")]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("requests of before it left, told late", {"since": 900, "until": 300}),
        ("requests within the grace", {"since": 400, "until": 240}),
        ("intervals without requests", {"since": 200, "requests": 0}),
        ("a first report, of nobody knows how long", {"since": 0}),
        ("one long interval that began before it left", {"since": 0, "requests_per_second": 0.1}),
    ],
)
def test_what_is_no_disobedience(out: ModelVersion, what: str, said: dict[str, Any]) -> None:
    ask(out, said.pop("requests", 40), **said)

    obedience.report(now=NOW)

    assert standing() == [], what


def test_a_drain_that_began_in_traffic_is_none_and_the_next_interval_is(out: ModelVersion) -> None:
    rows = [(420, 100), (200, 100)]  # seconds ago, requests: the second began before it left
    for ago, requests in rows:
        ask(out, requests, since=ago, until=ago)
    obedience.report(now=NOW)
    assert standing() == []

    ask(out, 7, since=50, until=50)
    obedience.report(now=NOW)

    assert "reported 7 requests" in Incident.objects.get().summary


def test_a_new_replica_of_a_version_that_is_out_is_known_by_its_rate(out: ModelVersion) -> None:
    ask(out, 40, since=0, source="new", requests_per_second=4.0)

    obedience.report(now=NOW)

    assert standing() == [("sick", "traffic_ignored", "critical")]


def test_sources_are_not_mixed_up(out: ModelVersion) -> None:
    """One source's last report says nothing about when another's interval began."""
    for number in range(10):
        ask(out, 40, since=10 * number, until=10 * number, source=f"replica-{number}")

    assert reported({out.pk: NOW - timedelta(minutes=4)}, now=NOW) == {out.pk: Reported(0, 0)}


def test_a_version_that_never_served_may_be_measured(make_version: Maker) -> None:
    ask(enter(make_version("archived")), 40, since=300)

    obedience.report(now=NOW)

    assert standing() == []


def test_snapshots_of_versions_that_are_out_are_kept_as_evidence(
    out: ModelVersion, api: Callable[..., APIClient]
) -> None:
    body = {"timestamp": NOW.isoformat(), "num_requests": 5}

    with clock.telling(lambda: NOW):
        answer = api("serving").post(
            f"/api/model-registry/models/{out.model_id}/performance", body, format="json"
        )

    assert (answer.status_code, answer.json()["accepted"]) == (201, 1)
    assert PerformanceSnapshot.objects.get(model_version=out).num_requests == 5


def test_a_canary_with_the_share_it_should_have_is_left_alone(make_version: Maker) -> None:
    production, canary = share(make_version, 10)
    ask(production, 880, since=600)
    ask(canary, 120, since=600)  # 12 %: beyond doubt, but not by much

    obedience.report(now=NOW)

    assert standing() == []


@pytest.mark.parametrize(("got", "of"), [(400, 600), (0, 1000)])
def test_a_canary_with_another_share_is_a_warning(make_version: Maker, got: int, of: int) -> None:
    production, canary = share(make_version, 20)
    ask(production, of, since=600)
    ask(canary, got, since=600)

    obedience.report(now=NOW)

    assert standing() == [("fresh", "traffic_ignored", "warning")]
    assert f"gets {100 * got / (got + of):.1f} % of" in Incident.objects.get().summary
    assert Incident.objects.get().summary.endswith("should get 20.0 %.")


def test_few_requests_are_no_evidence_and_settle_nothing_either(make_version: Maker) -> None:
    production, canary = share(make_version, 10)
    ask(production, 6, since=20)
    ask(canary, 4, since=20)  # 40 % of few
    obedience.report(now=NOW)
    assert standing() == []

    ask(production, 600, since=600, until=500, source="b")
    ask(canary, 400, since=600, until=500, source="b")
    obedience.report(now=NOW)
    assert standing() == [("fresh", "traffic_ignored", "warning")]
    obedience.report(now=NOW + timedelta(minutes=9))  # only the few are left

    assert standing() == [("fresh", "traffic_ignored", "warning")]


def test_it_is_resolved_once_the_share_is_seen_to_be_right(make_version: Maker) -> None:
    production, canary = share(make_version, 10)
    ask(production, 600, since=600)
    ask(canary, 400, since=600)
    obedience.report(now=NOW)
    assert len(standing()) == 1

    later = NOW + timedelta(minutes=30)
    for version, requests in ((production, 900), (canary, 100)):
        rows = [
            Snapshot(timestamp=later - timedelta(seconds=ago), num_requests=requests)
            for ago in range(300, -1, -STEP)
        ]
        snapshots.store(version, rows)
    obedience.report(now=later)

    assert standing() == []


@pytest.mark.parametrize("silent", ["production", "canary"])
def test_who_does_not_report_is_no_evidence(make_version: Maker, silent: str) -> None:
    production, canary = share(make_version, 10)
    ask(canary if silent == "production" else production, 1000, since=600)

    obedience.report(now=NOW)

    assert standing() == []


def test_right_after_a_change_nothing_is_judged(make_version: Maker) -> None:
    production, canary = share(make_version, 10)
    ask(production, 1000, since=600)
    ask(canary, 1000, since=600)
    TrafficPlan.objects.update(changed_at=NOW - timedelta(seconds=30))

    obedience.report(now=NOW)

    assert standing() == []


def test_a_canary_without_production_has_nothing_to_be_compared_with(make_version: Maker) -> None:
    canary = enter(make_version("canary", share=10))
    TrafficPlan.objects.update(changed_at=NOW - timedelta(hours=1))
    ask(canary, 1000, since=600)

    obedience.report(now=NOW)

    assert standing() == []


def test_a_warning_about_a_canary_becomes_critical_when_it_is_rolled_back(
    make_version: Maker,
) -> None:
    production, canary = share(make_version, 10)
    ask(production, 600, since=900)
    ask(canary, 400, since=900)
    obedience.report(now=NOW)
    take(canary, "rollback")
    enter(canary, ago=timedelta(minutes=5))
    obedience.report(now=NOW)

    assert standing() == [("fresh", "traffic_ignored", "critical")]
    assert Incident.objects.count() == 1


def test_the_policy_says_how_far_back_is_looked(out: ModelVersion) -> None:
    ask(out, 40, since=200, until=150)
    RollbackPolicy.objects.create(family=out.family, window_minutes=2)

    obedience.report(now=NOW)

    assert standing() == []


def test_the_queries_do_not_grow_with_the_models(
    make_version: Maker, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        production = enter(make_version("production", name=f"m{number}"))
        canary = enter(make_version("canary", name=f"m{number}"))
        TrafficPlan.objects.update(changed_at=NOW - timedelta(hours=1))
        ask(production, 900, since=600)
        ask(canary, 100, since=600)

    with django_assert_num_queries(4):
        obedience.report(now=NOW)


@pytest.mark.parametrize(
    ("requests", "total", "desired", "off", "near"),
    [
        (100, 1000, 0.10, False, True),
        (149, 1000, 0.10, False, True),
        (150, 1000, 0.10, False, True),  # five points is not more than five points
        (151, 1000, 0.10, True, False),  # 12.05 nats
        (5, 10, 0.10, False, False),  # 5.1 nats
        (60, 1000, 0.10, False, True),
        (400, 1000, 0.50, True, False),
        (0, 114, 0.10, True, False),  # 12.01 nats
        (0, 113, 0.10, False, False),  # 11.91 nats
        (0, 0, 0.10, False, False),
    ],
)
def test_shares_of_which_the_verdict_is_known(
    requests: int, total: int, desired: float, off: bool, near: bool
) -> None:
    seen = Observed(requests, total, desired)

    assert (seen.is_off, seen.is_near) == (off, near)


def test_the_page_shows_what_each_gets_beside_what_it_should(
    make_version: Maker, reviewer: Client
) -> None:
    production, canary = share(make_version, 10)
    out = enter(make_version("rollback", model_id="sick"), ago=timedelta(minutes=8))
    TrafficPlan.objects.update(changed_at=NOW - timedelta(hours=1))
    ask(production, 700, since=600)
    ask(canary, 300, since=600)
    ask(out, 1, since=600)

    with clock.telling(lambda: NOW):
        said = text(reviewer.get("/models/stable/"))

    assert "90 % gets 70 %" in said
    assert "10 % gets 30 %" in said
    assert "still gets 42" in said
