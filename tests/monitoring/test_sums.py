"""What the evidence rule weighs is added up by the database as it would be by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import astuple
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from monitoring import assessments, policies, snapshots, sums, weighing
from monitoring.models import MinuteRollUp, RecordedVerdict, RollUpRun
from monitoring.parsing import Snapshot
from monitoring.rollbacks import request_if_degraded
from monitoring.triggers import Rule, Thresholds, Verdict
from monitoring.weighing import WHOLE, Evidence
from registry.models import ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import enter, report, report_every, roll_up_all, snapshots_read

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

LIMITS = Thresholds()


def weighed(version: ModelVersion) -> Evidence:
    return sums.add_up([version], {version.pk: LIMITS}, {version.pk: 100.0}, now=NOW)[version.pk]


def test_rates_are_added_up_by_width(make_version: Maker) -> None:
    canary = enter(make_version("canary"), ago=timedelta(days=1))
    for ago, rate in ((10, 0.04), (70, 0.06), (400, 0.5), (3000, 0.0), (20_000, 1.0)):
        report_every(canary, [ago], num_requests=100, error_rate=rate, ood_rate=rate / 2)

    found = weighed(canary)

    assert [s.rows for s in found.error_rate] == [1, 2, 3, 4, 5]
    whole = found.error_rate[WHOLE]
    assert (whole.requests, whole.over) == (300, 2)
    assert whole.events == pytest.approx(60.0)
    assert whole.squares == pytest.approx(100 * (0.04**2 + 0.06**2 + 0.5**2))
    assert found.ood_rate[WHOLE].events == pytest.approx(30.0)
    assert found.ood_rate[WHOLE].over == 1


def stored(version: ModelVersion, seed: int, *, hours: int = 8) -> None:
    """Rows at random moments, some of them on the border of a minute or of a window."""
    chance = random.Random(seed)
    moments = {NOW - timedelta(seconds=chance.randrange(hours * 3600)) for _ in range(900)}
    moments |= {NOW - timedelta(minutes=minutes) for minutes in range(0, hours * 60, 10)}
    rates = [*(chance.random() for _ in range(9)), None]
    snapshots.store(
        version,
        [
            Snapshot(
                at,
                chance.choice([0, 1, 50, 1000]),
                error_rate=chance.choice(rates),
                ood_rate=chance.choice(rates),
                latency_p95_ms=chance.uniform(50, 500),
            )
            for at in moments
        ],
    )


def from_snapshots(version: ModelVersion) -> Evidence:
    """As if nothing were added up."""
    with transaction.atomic():
        RollUpRun.objects.all().delete()
        found = weighed(version)
        transaction.set_rollback(True)
    return found


def same(one: Evidence, other: Evidence) -> bool:
    """To nine digits: the order of adding up is the database's."""
    rates = (
        (found.error_rate, found.ood_rate, [found.latency.slow, found.input_drift])
        for found in (one, other)
    )
    first, second = ([astuple(sums) for rate in found for sums in rate] for found in rates)
    return first == [pytest.approx(sums) for sums in second] and one.latency == other.latency


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("entered", [timedelta(days=1), timedelta(hours=3, seconds=17)])
def test_minutes_that_were_added_up_stand_in_for_snapshots(
    make_version: Maker, seed: int, entered: timedelta
) -> None:
    canary, other = enter(make_version("canary"), ago=entered), make_version("canary")
    stored(canary, seed)
    stored(other, seed + 100)
    roll_up_all(NOW - timedelta(minutes=seed))
    exactly = from_snapshots(canary)

    assert MinuteRollUp.objects.exists()
    assert same(weighed(canary), exactly)

    for hours in (0.1, 4.5, 2.0, 7.9):  # late ones, added up once and not yet
        report(canary, at=NOW - timedelta(hours=hours, seconds=1), source="late", error_rate=0.9)
        assert same(weighed(canary), from_snapshots(canary))
    roll_up_all()
    assert same(weighed(canary), from_snapshots(canary))
    assert not same(weighed(canary), exactly)


def test_few_snapshots_are_read_where_minutes_stand_in(make_version: Maker) -> None:
    canary = enter(make_version("canary"), ago=timedelta(days=1))
    stored(canary, 7)
    roll_up_all()

    read = rows_read(canary)

    in_window = 900 * 10 / (8 * 60)
    assert read < 4 * in_window


def rows_read(version: ModelVersion) -> float:
    """How many snapshots the database looks at."""
    with CaptureQueriesContext(connection) as asking:
        weighed(version)
    return sum(snapshots_read(plan_of(question["sql"])) for question in asking.captured_queries)


def plan_of(question: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"explain (analyze, format json) {question}")
        (((found,),),) = (cursor.fetchall(),)
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def test_a_row_at_its_threshold_is_not_over_it(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report_every(canary, [1, 2], num_requests=1000, error_rate=50 / 1000, input_drift_score=0.3)

    found = weighed(canary)

    assert (found.error_rate[WHOLE].over, found.input_drift.over) == (0, 0)


def test_latency_is_what_python_makes_of_each_row(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    draw = random.Random(7)
    rows: list[tuple[int, float, float, float]] = []
    for ago in range(60):
        low = draw.uniform(1, 200)
        n, p50 = draw.randint(1, 90), low
        p95, p99 = sorted([low * draw.uniform(1, 4), low * draw.uniform(1, 9)])
        rows.append((n, p50, p95, p99))
        report_every(
            canary,
            [ago],
            num_requests=n,
            latency_p50_ms=p50,
            latency_p95_ms=p95,
            latency_p99_ms=p99,
        )

    found = weighed(canary).latency

    shares = [
        (n, weighing.slow_fraction(p50, p95, p99, 1.1 * 150))
        for n, p50, p95, p99 in rows
        if n >= weighing.SMALLEST_SLOW_SAMPLE
    ]
    assert (found.rows, found.over) == (60, sum(row[2] > 150 for row in rows))
    assert found.chance == pytest.approx(sum(weighing.chance_over(n) for n, _, _, _ in rows) / 60)
    assert found.slow.rows == len(shares)
    assert found.slow.events == pytest.approx(sum(n * share for n, share in shares))
    assert found.slow.over == sum(share > 0.05 for _, share in shares)


def test_quantiles_out_of_order_or_equal_harm_nothing(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    for ago, quantiles in enumerate([(300, 200, 400), (0, 0, 0), (200, 200, 200), (0, 170, 180)]):
        p50, p95, p99 = map(float, quantiles)
        report_every(canary, [ago], latency_p50_ms=p50, latency_p95_ms=p95, latency_p99_ms=p99)

    assert weighed(canary).latency.slow.rows == 3


def test_rows_before_the_stage_entry_are_not_added(make_version: Maker) -> None:
    canary = enter(make_version("canary"), ago=timedelta(seconds=30))
    report_every(canary, [10, 60])

    assert [s.rows for s in weighed(canary).error_rate] == [1] * 5


def test_small_rows_say_nothing_of_drift(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, num_requests=199, input_drift_score=0.9)
    report_every(canary, [1], num_requests=200, input_drift_score=0.4)

    drift = weighed(canary).input_drift

    assert (drift.rows, drift.requests) == (1, 200)
    assert drift.rate == pytest.approx(0.4)


def test_both_rules_are_worked_out_and_the_policy_says_which_acts(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, num_requests=1000, error_rate=0.08)

    plain = assessments.look(canary, now=NOW)
    policies.change(canary.family, {"rule": "evidence"}, actor="user:1")
    careful = assessments.look(canary, now=NOW)

    said = [(a.rule, a.verdict) for a in plain.both]
    assert said == [(Rule.THRESHOLD, Verdict.ROLLBACK), (Rule.EVIDENCE, Verdict.WATCH)]
    assert [(a.rule, a.verdict) for a in careful.both] == said[::-1]


def test_the_record_keeps_what_both_rules_said(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    policies.change(canary.family, {"rule": "evidence"}, actor="user:1")
    report(canary, num_requests=1000, error_rate=0.08)

    request_if_degraded(canary, now=NOW)

    kept = RecordedVerdict.objects.get(version=canary)
    assert (kept.rule, kept.verdict) == ("evidence", "watch")
    assert (kept.other["rule"], kept.other["verdict"]) == ("threshold", "rollback")
    assert kept.triggers[0]["more_requests"] == 1228


def test_beat_finds_what_breaches_by_evidence(make_version: Maker) -> None:
    noisy = enter(make_version("production", model_id="noisy", name="Noisy"))
    sick = enter(make_version("production", model_id="sick", name="Sick"))
    for version in (noisy, sick):
        policies.change(version.family, {"rule": "evidence"}, actor="user:1")
    report(noisy, num_requests=1000, error_rate=0.06)
    report_every(sick, [10, 20, 30], num_requests=1000, error_rate=0.2)
    request_if_degraded(noisy, now=NOW)

    assert assessments.check_serving(now=NOW) == [sick.pk]
