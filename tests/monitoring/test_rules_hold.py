"""What holds for both rules whatever is reported, from the upload to the verdict."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from monitoring import (
    assessments,
    comparisons,
    obedience,
    parsing,
    rollups,
    snapshots,
)
from monitoring.pages import series
from monitoring.parsing import Snapshot
from monitoring.triggers import Assessment, Thresholds, Verdict
from registry.models import ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import enter

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

LIMITS = Thresholds()
EXPECTED_MS = 100.0  # so the limit is 150
SEVERITY = (Verdict.OK, Verdict.WATCH, Verdict.ROLLBACK)
few = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def reports(draw: st.DrawFn, *, worst: bool = True) -> Snapshot:
    """One interval of the last quarter of an hour; with ``worst`` false nothing is over a limit."""
    n = draw(st.integers(0, 400))
    return Snapshot(
        timestamp=NOW - timedelta(seconds=draw(st.integers(0, 900))),
        num_requests=n,
        source=draw(st.sampled_from(["", "a", "b"])),
        error_rate=_share(draw, n, 1.0 if worst else LIMITS.max_error_rate),
        ood_rate=_share(draw, n, 1.0 if worst else LIMITS.max_ood_rate),
        input_drift_score=draw(st.none() | st.floats(0, 1.0 if worst else LIMITS.max_input_drift)),
        latency_p95_ms=draw(st.none() | st.floats(1, 1000 if worst else 150)),
    )


def _share(draw: st.DrawFn, n: int, most: float) -> float | None:
    return draw(st.none() | st.integers(0, int(n * most)).map(lambda k: k / n if n else 0.0))


def several(**how: Any) -> st.SearchStrategy[list[Snapshot]]:
    return st.lists(reports(**how), max_size=25, unique_by=lambda row: row.key)


@pytest.fixture
def pair(make_version: Maker) -> tuple[ModelVersion, ModelVersion]:
    """Two canaries of which the same is expected."""
    one, other = (
        enter(make_version("canary", name=name, expected_latency_p95_ms=EXPECTED_MS))
        for name in ("One", "Other")
    )
    return one, other


@contextmanager
def taken_back() -> Iterator[None]:
    """What is reported within is gone afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def judged(version: ModelVersion) -> list[Assessment]:
    """By both rules, ``threshold`` first."""
    return list(assessments.look(version, now=NOW).both)


def figures(found: Assessment) -> list[tuple[Any, ...]]:
    """All that is said of it, but for how sums were rounded."""
    return [(found.verdict, found.requests)] + [
        (
            trigger.verdict,
            None if trigger.value is None else pytest.approx(trigger.value, abs=1e-9),
            trigger.requests,
            trigger.snapshots,
            pytest.approx(trigger.evidence_nats or 0.0, abs=1e-6, rel=1e-6),
        )
        for trigger in found.triggers
    ]


@few
@given(several(), st.randoms(use_true_random=False))
def test_order_batches_and_repeats_say_nothing(
    pair: tuple[ModelVersion, ModelVersion], rows: list[Snapshot], dealer: random.Random
) -> None:
    one, other = pair
    shuffled = rows + [row for row in rows if dealer.random() < 0.5]
    dealer.shuffle(shuffled)

    with taken_back():
        if rows:
            snapshots.store(one, sorted(rows, key=lambda row: row.timestamp))
        for at in range(0, len(shuffled), 7):
            snapshots.store(other, shuffled[at : at + 7])
        plain, mixed = judged(one), judged(other)

    assert [figures(found) for found in plain] == [figures(found) for found in mixed]


@few
@given(several(), st.randoms(use_true_random=False))
def test_who_reports_an_interval_in_two_parts_changes_no_sum_and_no_verdict_of_the_threshold_rule(
    pair: tuple[ModelVersion, ModelVersion], rows: list[Snapshot], dealer: random.Random
) -> None:
    one, other = pair

    with taken_back():
        if rows:
            snapshots.store(one, rows)
            snapshots.store(other, [part for row in rows for part in _parts(row, dealer)])
        (whole, sure), (parts, sure_of_parts) = judged(one), judged(other)

    assert whole.verdict == parts.verdict
    for before, after in zip(whole.triggers, parts.triggers, strict=True):
        assert (before.verdict, before.requests) == (after.verdict, after.requests)
        assert after.value == (None if before.value is None else pytest.approx(before.value))
    # Evidence weighs how rows scatter too; what they add up to stays, and so does what is under.
    for before, after in zip(sure.triggers[::2], sure_of_parts.triggers[::2], strict=True):
        if before.verdict is not Verdict.ROLLBACK and after.verdict is not Verdict.ROLLBACK:
            assert after.value == (None if before.value is None else pytest.approx(before.value))
        assert (before.verdict is Verdict.NO_DATA) == (after.verdict is Verdict.NO_DATA)


def _parts(row: Snapshot, dealer: random.Random) -> Iterator[Snapshot]:
    """The interval as two replicas would report it, with the same totals."""
    n = row.num_requests
    if n < 10:  # a p95 of fewer than five requests is not looked at
        yield row
        return
    first = dealer.randint(5, n - 5)
    errors, ood = (_divided(rate, first, n, dealer) for rate in (row.error_rate, row.ood_rate))
    for index, (requests, replica) in enumerate(((first, "x"), (n - first, "y"))):
        yield Snapshot(
            timestamp=row.timestamp,
            num_requests=requests,
            source=row.source + replica,
            input_drift_score=row.input_drift_score,
            latency_p95_ms=row.latency_p95_ms,
            error_rate=errors[index],
            ood_rate=ood[index],
        )


def _divided(
    rate: float | None, first: int, n: int, dealer: random.Random
) -> tuple[float | None, float | None]:
    """The events of n requests dealt out to the first so many and to the rest."""
    if rate is None:
        return None, None
    k = round(rate * n)
    here = dealer.randint(max(0, k - (n - first)), min(k, first))
    return here / first, (k - here) / (n - first)


@few
@given(several(worst=False))
def test_neither_rule_fires_where_nothing_is_over_its_threshold(
    pair: tuple[ModelVersion, ModelVersion], rows: list[Snapshot]
) -> None:
    assume(rows)

    with taken_back():
        snapshots.store(pair[0], rows)
        found = judged(pair[0])

    for rule in found:
        assert rule.verdict is not Verdict.ROLLBACK
        assert {trigger.verdict for trigger in rule.triggers} <= set(Verdict) - {Verdict.ROLLBACK}


@few
@given(
    st.integers(1, 400), st.integers(1, 12), st.integers(0, 400), st.integers(0, 400), st.booleans()
)
def test_more_failures_never_help(
    pair: tuple[ModelVersion, ModelVersion], n: int, rows: int, k: int, more: int, ood: bool
) -> None:
    fewer, most = sorted((min(k, n), min(k + more, n)))

    with taken_back():
        for version, failed in zip(pair, (fewer, most), strict=True):
            snapshots.store(
                version,
                [
                    Snapshot(
                        timestamp=NOW - timedelta(seconds=10 * at),
                        num_requests=n,
                        error_rate=0.0 if ood else failed / n,
                        ood_rate=failed / n if ood else 0.0,
                    )
                    for at in range(rows)
                ],
            )
        better, worse = judged(pair[0]), judged(pair[1])

    for before, after in zip(better, worse, strict=True):
        assert SEVERITY.index(before.verdict) <= SEVERITY.index(after.verdict)


EXTREMES = (0.0, 5e-324, 1e-308, 1e-200, 1e-9, 1e-10, 0.05, 1.0)
AMOUNTS = (0.0, 5e-324, 1e-300, 1e-9, 1e-10, 164.9, 165.0, 165.1, parsing.LARGEST)


@pytest.fixture
def production(pair: tuple[ModelVersion, ModelVersion], make_version: Maker) -> ModelVersion:
    """What the first of the pair is compared with."""
    return enter(make_version("production", name="One"))


@few
@given(st.data())
def test_no_report_keeps_anybody_from_being_judged(
    pair: tuple[ModelVersion, ModelVersion], production: ModelVersion, data: st.DataObject
) -> None:
    """One query judges all; what is within the bounds of a report must not make it fail."""
    one, other = pair
    share, amount = st.sampled_from(EXTREMES), st.sampled_from(AMOUNTS)
    rows = [
        Snapshot(
            timestamp=NOW - timedelta(seconds=seconds),
            num_requests=data.draw(st.sampled_from([1, 20, 200, parsing.MAX_REQUESTS])),
            requests_per_second=data.draw(amount),
            error_rate=data.draw(share),
            ood_rate=data.draw(share),
            input_drift_score=data.draw(share),
            latency_p50_ms=data.draw(amount),
            latency_p95_ms=data.draw(amount),
            latency_p99_ms=data.draw(amount),
        )
        for seconds in range(0, 120, 10)
    ]

    with taken_back():
        snapshots.store(one, rows)
        snapshots.store(production, rows)
        snapshots.store(other, [Snapshot(timestamp=NOW, num_requests=1000, error_rate=0.5)])
        found = judged(one)
        swept = assessments.check_serving(now=NOW)
        beside = comparisons.of_window(one, now=NOW)
        obedience.report(now=NOW)
        rollups.roll_up(now=NOW + timedelta(minutes=2))
        chart = series.read(
            one, start=NOW - timedelta(hours=1), end=NOW, step=timedelta(seconds=10)
        )

    assert len(found) == 2
    assert other.pk in swept
    assert beside is not None
    assert beside.nats >= 0
    assert chart.metrics


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(None, id="nothing"),
        pytest.param({"num_requests": 0, "error_rate": 1.0}, id="no requests"),
        pytest.param({"at": NOW - timedelta(seconds=601), "error_rate": 1.0}, id="too long ago"),
        pytest.param({"at": NOW - timedelta(hours=2), "error_rate": 1.0}, id="of another stage"),
        pytest.param({}, id="nothing but requests"),
    ],
)
def test_where_there_is_nothing_both_rules_have_no_data(
    pair: tuple[ModelVersion, ModelVersion], row: dict[str, Any] | None
) -> None:
    if row is not None:
        figures = {"num_requests": 1000} | {k: v for k, v in row.items() if k != "at"}
        snapshots.store(pair[0], [Snapshot(timestamp=row.get("at", NOW), **figures)])

    found = judged(pair[0])

    assert [rule.verdict for rule in found] == [Verdict.NO_DATA] * 2
    assert {trigger.verdict for rule in found for trigger in rule.triggers} == {Verdict.NO_DATA}
