"""Add snapshots up by the minute, hour and day, and drop those that are older than what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from monitoring.arithmetic import squared
from registry import actors
from registry.ledger import events

RETIRED = "snapshots.retired"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
LONGEST_STRETCH = timedelta(days=1)  # added up at once; whoever is behind catches up tick by tick
GRACE = timedelta(hours=1)  # beyond retention: what was just accepted is not dropped on arrival
BIN_RATIO = 1.02  # of one latency bin to the next, so a median is within 1 %
LEAST_MS = 0.001  # latencies below fall into the lowest bin

RATES = {"error": "error_rate", "ood": "ood_rate", "drift": "input_drift_score"}
METRICS = {**RATES, "latency": "latency_p95_ms"}
WEIGHED = ("error", "ood")  # whose scatter the evidence rule weighs over hours
SUMS = (
    "snapshots",
    "requests",
    *(f"{name}_{kind}" for name in METRICS for kind in ("rows", "requests", "sum")),
    *(f"{name}_squares" for name in WEIGHED),
)
COLUMNS = (*SUMS, "latency_least_ms", "latency_most_ms", "latency_bins", "latency_bin_rows")

# Snapshots are stamped at the end of their interval, so a minute ends with its last moment, too.
_OF_ONE = ", ".join(
    f"({field} is not null)::int as {name}_rows,"
    f" case when {field} is null then 0 else num_requests end as {name}_requests,"
    f" coalesce(num_requests * {field}, 0) as {name}_sum"
    for name, field in METRICS.items()
)
_SQUARES = ", ".join(
    f"coalesce({squared(field)}, 0) as {name}_squares"
    for name, field in RATES.items()
    if name in WEIGHED
)
SNAPSHOTS = f"""
select version_id, timestamp - interval '1 microsecond' as at, 1 as snapshots,
    num_requests as requests, {_OF_ONE}, {_SQUARES},
    latency_p95_ms as latency_least_ms, latency_p95_ms as latency_most_ms,
    case when latency_p95_ms is not null then
        array[round(ln(greatest(latency_p95_ms, {LEAST_MS})) / ln({BIN_RATIO}))::smallint]
    end as latency_bins,
    array[1] as latency_bin_rows
from memory_model_performance
where num_requests > 0
"""


def sums(table: str) -> str:
    """What a table of minutes, hours or days holds, in the columns of ``SNAPSHOTS``."""
    return f"select version_id, start as at, {', '.join(COLUMNS)} from {table} where true"


@dataclass(frozen=True, slots=True)
class Level:
    """A width, its table, and what is added up into it."""

    width: timedelta
    table: str
    parts: str
    between: str  # of the parts, which times belong to a stretch

    @property
    def statement(self) -> str:
        """Add up all that begins in a stretch, anew."""
        return f"""
with parts as materialized ({self.parts} and {self.between}
    and (%(version)s::bigint is null or version_id = %(version)s)
), placed as (
    select date_bin(make_interval(secs => %(width)s), at, timestamptz 'epoch') as start, parts.* from parts
), added as (
    select version_id, start, {", ".join(f"sum({name}) as {name}" for name in SUMS)},
        min(latency_least_ms) as latency_least_ms, max(latency_most_ms) as latency_most_ms
    from placed group by version_id, start
), binned as (
    select version_id, start, bin, sum(bin_rows) as bin_rows
    from placed, unnest(latency_bins, latency_bin_rows) as each (bin, bin_rows)
    where bin is not null
    group by version_id, start, bin
), histograms as (
    select version_id, start, array_agg(bin order by bin) as latency_bins,
        array_agg(bin_rows order by bin) as latency_bin_rows
    from binned group by version_id, start
)
insert into {self.table} (version_id, start, {", ".join(COLUMNS)})
select version_id, start, {", ".join(COLUMNS[:-2])},
    coalesce(latency_bins, '{{}}'), coalesce(latency_bin_rows, '{{}}')
from added left join histograms using (version_id, start)
order by version_id, start
on conflict (version_id, start) do update
set {", ".join(f"{name} = excluded.{name}" for name in COLUMNS)}
"""


STAMPED = "timestamp > %(since)s and timestamp <= %(until)s"
BEGINNING = "start >= %(since)s and start < %(until)s"
MINUTES = Level(timedelta(minutes=1), "monitoring_minuterollup", SNAPSHOTS, STAMPED)
HOURS = Level(timedelta(hours=1), "monitoring_hourrollup", sums(MINUTES.table), BEGINNING)
DAYS = Level(timedelta(days=1), "monitoring_dayrollup", sums(HOURS.table), BEGINNING)
LEVELS = (MINUTES, HOURS, DAYS)

LOCK = "select pg_try_advisory_xact_lock(hashtext('monitoring_rolluprun'), 0)"
PROGRESS = "select rolled_until, redo_from from monitoring_rolluprun order by id desc limit 1"
PARTITIONS = """
select to_date(right(relname, 8), 'YYYYMMDD') from pg_inherits join pg_class on oid = inhrelid
where inhparent = 'memory_model_performance'::regclass order by 1
"""
# Reports that were under way as this began may not be visible to it. They compared their times with
# how far the last run had come that was over before they began: that far back the next one redoes.
UNDER_WAY = """
select least(now(), min(xact_start)) - interval '1 second' from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""
NOTED = """
insert into monitoring_rolluprun (rolled_until, redo_from, at)
select %(until)s, coalesce(
    (select rolled_until from monitoring_rolluprun where at < %(under_way)s
     order by id desc limit 1),
    %(since)s
), clock_timestamp()
"""
FORGOTTEN = "delete from monitoring_rolluprun where at < now() - interval '2 days'"
DAY_HELD = "select count(*), coalesce(sum(requests), 0) from monitoring_dayrollup where start = %s"
TAKEN = "delete from monitoring_latesnapshots returning model_version_id, first, last"


def roll_up(*, now: datetime) -> None:
    """Add up all whole minutes until now, and again those that late snapshots touched.

    Any number of times gives the same. Only one does it at a time; a second leaves it to the first.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if not _alone(cursor):
            return
        under_way = _ask(cursor, UNDER_WAY)
        former, since = _progress(cursor) or (_begin_of_all(cursor, now),) * 2
        reached = max(former, min(_floor(now, MINUTES.width), former + LONGEST_STRETCH))
        _add_up(cursor, since, reached)
        for version_pk, first, last in _late(cursor):
            _add_up(cursor, first - INSTANT, min(last, reached), version_pk)
        cursor.execute(NOTED, {"until": reached, "since": since, "under_way": under_way})
        cursor.execute(FORGOTTEN)


def retire(*, now: datetime, retention: timedelta) -> None:
    """Drop each day that is older than ``retention``, each in a transaction of its own.

    It is added up once more before; the database refuses to drop what the sums do not hold.
    """
    before = now - retention - GRACE
    with connection.cursor() as cursor:
        progress = _progress(cursor)
        days = _days(cursor)
    for day in days:
        if progress is None or _begin(day) + DAYS.width > min(before, progress[1]):
            return
        if not _retire(day, before):
            return  # somebody reads it just now; the next tick tries again


@transaction.atomic
def _retire(day: date, before: datetime) -> bool:
    with connection.cursor() as cursor:
        if not _alone(cursor):
            return False
        _add_up(cursor, _begin(day), _begin(day) + DAYS.width)
        dropped = _ask(cursor, "select retire_snapshot_partition(%s, %s)", [day, before])
        if dropped is None:
            return False
        versions, requests = _first(cursor, DAY_HELD, [_begin(day)])
    events.record(
        RETIRED,
        actor=actors.MONITOR,
        payload={
            "day": day.isoformat(),
            "snapshots": dropped,
            "versions": versions,
            "requests": int(requests),
        },
    )
    return True


def _add_up(
    cursor: CursorWrapper, since: datetime, until: datetime, version_pk: int | None = None
) -> None:
    """Bring minutes up to date with the snapshots, then hours and days with what they consist of."""
    if until <= since:
        return
    for level in LEVELS:
        since, until = _floor(since, level.width), _ceiling(until, level.width)
        stretch = {"since": since, "until": until, "version": version_pk}
        cursor.execute(level.statement, stretch | {"width": level.width.total_seconds()})


def _late(cursor: CursorWrapper) -> list[tuple[int, datetime, datetime]]:
    """Which stretches late snapshots touched, by version and day; their marks are taken away."""
    cursor.execute(TAKEN)
    touched: dict[tuple[int, date], tuple[datetime, datetime]] = {}
    for version_pk, first, last in cursor.fetchall():
        known = touched.get((version_pk, first.date()), (first, last))
        touched[version_pk, first.date()] = min(first, known[0]), max(last, known[1])
    return [(version_pk, *stretch) for (version_pk, _), stretch in touched.items()]


def _progress(cursor: CursorWrapper) -> tuple[datetime, datetime] | None:
    cursor.execute(PROGRESS)
    found: tuple[datetime, datetime] | None = cursor.fetchone()
    return found


def _begin_of_all(cursor: CursorWrapper, now: datetime) -> datetime:
    return min([_floor(now, MINUTES.width), *map(_begin, _days(cursor)[:1])])


def _days(cursor: CursorWrapper) -> list[date]:
    """The days that have partitions, oldest first."""
    cursor.execute(PARTITIONS)
    return [day for (day,) in cursor.fetchall()]


def _alone(cursor: CursorWrapper) -> bool:
    return bool(_ask(cursor, LOCK))


def _ask(cursor: CursorWrapper, question: str, facts: Sequence[Any] = ()) -> Any:
    return _first(cursor, question, facts)[0]


def _first(cursor: CursorWrapper, question: str, facts: Sequence[Any]) -> tuple[Any, ...]:
    cursor.execute(question, facts)
    row: tuple[Any, ...] = cursor.fetchone() or (None,)
    return row


def _begin(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _floor(at: datetime, width: timedelta) -> datetime:
    return at - (at - EPOCH) % width


def _ceiling(at: datetime, width: timedelta) -> datetime:
    return at + (EPOCH - at) % width
