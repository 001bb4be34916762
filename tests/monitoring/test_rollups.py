"""Minutes, hours and days hold what their snapshots did; only then are snapshots dropped."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from monitoring import baselines, rollups, snapshots
from monitoring.models import (
    DayRollUp,
    HourRollUp,
    LateSnapshots,
    MinuteRollUp,
    PerformanceSnapshot,
    RollUpRun,
)
from monitoring.pages import series
from monitoring.pages.series import Series
from monitoring.parsing import Snapshot
from registry import clock
from registry.models import Event, ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import report, roll_up_all, snapshots_read, tick

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)
RETENTION = timedelta(days=90)
LEVELS = (MinuteRollUp, HourRollUp, DayRollUp)


def measured(seed: int, *, rows: int = 400, days: int = 3) -> list[Snapshot]:
    """Snapshots of some days before NOW, with gaps, silences and stamps on every border."""
    chance = random.Random(seed)

    def some(value: float) -> float | None:
        return value if chance.random() < 0.8 else None

    ends = {NOW - timedelta(seconds=chance.randrange(days * 86_400)) for _ in range(rows)}
    ends |= {MIDNIGHT - n * DAY for n in range(days)} | {MIDNIGHT + n * HOUR for n in range(12)}
    return [
        Snapshot(
            timestamp=end,
            num_requests=chance.choice([0, 1, 50, 1000]),
            source=chance.choice("ab"),
            error_rate=some(chance.random()),
            latency_p95_ms=some(chance.lognormvariate(4, 1)),
            ood_rate=some(chance.random()),
            input_drift_score=some(chance.random()),
        )
        for end in sorted(ends)
    ]


def chart(version: ModelVersion, step: timedelta, days: int = 3) -> Series:
    end = MIDNIGHT + DAY
    return series.read(version, start=end - (days + 1) * DAY, end=end, step=step)


def charts(version: ModelVersion) -> list[Any]:
    """What the page draws by the minute, ten minutes, hour and day, to nine digits."""
    return [
        (
            found.gap,
            [(p.at, round(p.value, 9)) for p in found.requests_per_minute],
            {
                metric: [(p.at, pytest.approx(p.value)) for p in points]
                for metric, points in found.metrics.items()
            },
        )
        for found in (chart(version, step) for step in (MINUTE, 10 * MINUTE, HOUR, DAY))
    ]


def held() -> list[list[list[Any]]]:
    """All rows, by level; sums to six digits, since the order of adding up is the database's."""
    return [
        [
            [round(value, 6) if isinstance(value, float) else value for value in row]
            for row in level.objects.order_by("model_version", "start").values_list()
        ]
        for level in LEVELS
    ]


def partitions() -> list[date]:
    """The days that there are, but for those that it really is, which stay for all tests."""
    with connection.cursor() as cursor:
        return [day for day in rollups._days(cursor) if day <= NOW.date()]


def test_a_minute_holds_sums_by_metric_and_a_histogram(make_version: Maker) -> None:
    version = make_version()
    report(version, at=NOW - 30 * timedelta(seconds=1), num_requests=100, latency_p95_ms=50.0)
    report(version, at=NOW, num_requests=300, error_rate=0.02, latency_p95_ms=200.0)
    report(version, at=NOW, source="b", num_requests=0)
    report(version, at=NOW - timedelta(seconds=1), num_requests=5, error_rate=None)

    roll_up_all(NOW + MINUTE)

    minute = MinuteRollUp.objects.get()
    assert minute.start == NOW - MINUTE
    assert (minute.snapshots, minute.requests) == (3, 405)
    assert (minute.error_rows, minute.error_requests) == (2, 400)
    assert minute.error_sum == pytest.approx(100 * 0.01 + 300 * 0.02)
    assert (minute.latency_least_ms, minute.latency_most_ms) == (50.0, 200.0)
    assert dict(zip(minute.latency_bins, minute.latency_bin_rows, strict=True)) == {
        198: 1,
        227: 1,
        268: 1,
    }
    assert pytest.approx(200, rel=0.01) == 1.02**268


def test_the_charts_are_the_same_from_snapshots_and_from_what_they_add_up_to(
    make_version: Maker,
) -> None:
    version, other = make_version(), make_version()
    snapshots.store(version, measured(1))
    snapshots.store(other, measured(2, rows=40))
    before = charts(version)

    roll_up_all()

    assert charts(version) == before
    assert sum(h.snapshots for h in HourRollUp.objects.all()) == sum(
        d.snapshots for d in DayRollUp.objects.all()
    )


def test_adding_up_again_changes_nothing(make_version: Maker) -> None:
    snapshots.store(make_version(), measured(3))
    roll_up_all()
    before = held()

    roll_up_all()

    assert held() == before
    assert [len(level) for level in before][2] == 4


def test_late_snapshots_are_in_the_sums_after_the_next_tick(make_version: Maker) -> None:
    version = make_version()
    rows = measured(4)
    random.Random(4).shuffle(rows)
    snapshots.store(version, rows[:200])
    roll_up_all()

    snapshots.store(version, [*rows[200:], Snapshot(NOW - HOUR, 77, "late", error_rate=1.0)])
    marked = LateSnapshots.objects.count()
    roll_up_all()

    RollUpRun.objects.all().delete()  # as if nothing were added up: the charts read snapshots
    from_snapshots = charts(version)
    roll_up_all()
    assert charts(version) == from_snapshots
    assert (marked, LateSnapshots.objects.count()) == (1, 0)


def test_what_comes_in_time_leaves_no_mark(make_version: Maker) -> None:
    version = make_version()
    report(version, at=NOW - HOUR)
    roll_up_all()

    report(version, at=NOW + timedelta(seconds=1))

    assert not LateSnapshots.objects.exists()


def test_a_day_is_dropped_once_it_is_old_and_the_charts_stay(make_version: Maker) -> None:
    version = make_version()
    rows = measured(5)
    snapshots.store(version, rows)
    roll_up_all()
    before = charts(version)

    rollups.retire(now=MIDNIGHT + RETENTION + rollups.GRACE, retention=RETENTION)

    assert partitions() == [MIDNIGHT.date()]
    assert charts(version) == before
    told = Event.objects.filter(event_type="snapshots.retired").order_by("pk")
    assert [event.payload["day"] for event in told] == ["2026-01-28", "2026-01-29", "2026-01-30"]
    kept = PerformanceSnapshot.objects.count()
    assert sum(event.payload["snapshots"] for event in told) == len(rows) - kept
    assert told[0].payload["versions"] == 1


def test_nothing_young_is_dropped(make_version: Maker) -> None:
    snapshots.store(make_version(), measured(6))
    roll_up_all()
    days = partitions()

    rollups.retire(now=NOW, retention=RETENTION)
    rollups.retire(now=MIDNIGHT - 2 * DAY + RETENTION, retention=RETENTION)  # an hour too early

    assert partitions() == days


def test_nothing_is_dropped_before_it_is_rolled_up(make_version: Maker) -> None:
    snapshots.store(make_version(), measured(7))
    days = partitions()

    rollups.retire(now=NOW + 200 * DAY, retention=RETENTION)
    tick()  # the first day alone
    rollups.retire(now=NOW + 200 * DAY, retention=RETENTION)

    assert partitions() == days[1:]
    assert set(MinuteRollUp.objects.dates("start", "day")) == {days[0]}


@pytest.mark.parametrize(
    ("day", "rolled_up", "why"),
    [
        (MIDNIGHT.date() - DAY, False, "not rolled up"),
        (MIDNIGHT.date(), True, "too young"),
        (None, True, "too young"),
    ],
)
def test_the_database_itself_refuses_to_drop_what_must_stay(
    make_version: Maker, day: date | None, rolled_up: bool, why: str
) -> None:
    version, today = make_version(), clock.now()
    report(version, at=NOW - DAY)
    report(version, at=today)
    if rolled_up:
        roll_up_all()
    before = MIDNIGHT if day else today + 2 * DAY

    with pytest.raises(ProgrammingError, match=why), transaction.atomic(), connection.cursor() as c:
        c.execute("select retire_snapshot_partition(%s, %s)", [day or today.date(), before])

    assert (NOW - DAY).date() in partitions()


def test_late_rows_that_the_sums_lack_keep_their_day(make_version: Maker) -> None:
    version = make_version()
    report(version, at=NOW - 3 * DAY)
    roll_up_all()
    report(version, at=NOW - 3 * DAY, source="late")

    with pytest.raises(ProgrammingError, match="1 of 2"), transaction.atomic():
        connection.cursor().execute(
            "select retire_snapshot_partition(%s, %s)", [(NOW - 3 * DAY).date(), MIDNIGHT]
        )


def test_what_latency_to_expect_outlives_the_snapshots(make_version: Maker) -> None:
    before = make_version("production", name="m")
    rows = [s for s in measured(8, days=1) if s.num_requests and s.latency_p95_ms]
    snapshots.store(before, rows)
    canary = make_version("canary", name="m", model_id="canary")
    roll_up_all()
    exact = baselines.expected_p95_ms([canary])[canary.pk]

    rollups.retire(now=NOW + 200 * DAY, retention=RETENTION)
    PerformanceSnapshot.objects.all().delete()

    assert exact == pytest.approx(median(s.latency_p95_ms or 0 for s in rows), rel=0.03)
    assert baselines.expected_p95_ms([canary])[canary.pk] == pytest.approx(exact, rel=0.03)


def test_a_long_chart_reads_few_snapshots(make_version: Maker) -> None:
    version = make_version()
    snapshots.store(version, measured(9, rows=3000))
    roll_up_all(NOW - 10 * MINUTE)
    young = PerformanceSnapshot.objects.filter(timestamp__gt=NOW - 10 * MINUTE).count()

    with CaptureQueriesContext(connection) as asking:
        chart(version, HOUR)

    (question,) = asking.captured_queries
    with connection.cursor() as cursor:
        cursor.execute(f"explain (analyze, format json) {question['sql']}")
        (((plan,),),) = (cursor.fetchall(),)
    assert snapshots_read(plan[0]["Plan"]) <= young
