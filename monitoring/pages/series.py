"""Snapshots added up into the points of a chart, in one query that reads few of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from django.db import connection

from monitoring import rollups
from monitoring.charts import Point
from monitoring.triggers import Metric
from registry.models import ModelVersion

MINUTE = timedelta(minutes=1)
MISSED_REPORTS = 3  # a line is broken where more reports than these are missing
REPORTS_COUNTED = 4  # at least, in one count of requests: else counts beat with the reports
SHORT_COUNTS = 10  # counts of requests in a range too short for minutes

# A snapshot is stamped at the end of its interval, so a bin ends with its last moment, too.
# Rates and p95 are weighted by requests within a bin.
BINS = """
with reach as materialized (select coalesce(
    (select rolled_until from monitoring_rolluprun order by id desc limit 1), '-infinity') as at
)
select date_bin(make_interval(secs => %(step)s), at, %(start)s) as bin, sum(requests),
    sum(error_sum) / nullif(sum(error_requests), 0),
    sum(latency_sum) / nullif(sum(latency_requests), 0),
    sum(ood_sum) / nullif(sum(ood_requests), 0),
    sum(drift_sum) / nullif(sum(drift_requests), 0)
from ({parts}) as parts
group by bin order by bin
"""
ORDER = (Metric.ERROR_RATE, Metric.LATENCY, Metric.OOD_RATE, Metric.INPUT_DRIFT)


@dataclass(frozen=True, slots=True)
class Series:
    """What one version reported over a range, by metric, and its requests a minute."""

    metrics: dict[Metric, list[Point]]
    requests_per_minute: list[Point]
    gap: timedelta  # reports further apart than this have a hole between them


def read(version: ModelVersion, *, start: datetime, end: datetime, step: timedelta) -> Series:
    """The version's snapshots after ``start`` until ``end``, in bins of ``step``."""
    with connection.cursor() as cursor:
        seconds = step.total_seconds()
        question = BINS.format(parts=" union all ".join(_parts(start, step)))
        cursor.execute(
            question, {"version": version.pk, "start": start, "end": end, "step": seconds}
        )
        rows = cursor.fetchall()
    middles = [row[0] + step / 2 for row in rows]
    distance = max(step, _usual_distance(middles))
    return Series(
        metrics={
            metric: _points(middles, [row[column] for row in rows])
            for column, metric in enumerate(ORDER, start=2)
        },
        requests_per_minute=_per_minute(
            [(row[0], int(row[1])) for row in rows],
            start=start,
            end=end,
            width=_width(step, distance, end - start),
        ),
        gap=MISSED_REPORTS * distance,
    )


def _parts(start: datetime, step: timedelta) -> Iterator[str]:
    """Days, hours and minutes as far as they are added up and fit whole bins; then snapshots."""
    fitting = [
        level
        for level in reversed(rollups.LEVELS)
        if not step % level.width and not (start - rollups.EPOCH) % level.width
    ]
    since = "%(start)s"
    for level in fitting:
        seconds = level.width.total_seconds()
        until = f"(select date_bin('{seconds:g} s', at, timestamptz 'epoch') from reach)"
        yield (
            f"{rollups.sums(level.table)} and version_id = %(version)s"
            f" and start >= {since} and start < %(end)s and start < {until}"
        )
        since = f"greatest(%(start)s, {until})"
    yield (
        f"{rollups.SNAPSHOTS} and version_id = %(version)s"
        f" and timestamp > {since} and timestamp <= %(end)s"
    )


def _points(at: Sequence[datetime], values: Sequence[float | None]) -> list[Point]:
    return [Point(t, v) for t, v in zip(at, values, strict=True) if v is not None]


def _usual_distance(at: Sequence[datetime]) -> timedelta:
    """The median time between bins that have reports."""
    distances = [(later - earlier).total_seconds() for earlier, later in pairwise(at)]
    return timedelta(seconds=median(distances)) if distances else timedelta(0)


def _width(step: timedelta, distance: timedelta, length: timedelta) -> timedelta:
    """What requests are counted in: a minute, less in a short range; several reports, whole bins."""
    wanted = max(min(MINUTE, length / SHORT_COUNTS), REPORTS_COUNTED * distance, step)
    return math.ceil(wanted / step) * step


def _per_minute(
    counts: Sequence[tuple[datetime, int]], *, start: datetime, end: datetime, width: timedelta
) -> list[Point]:
    """Requests a minute, counted in bins of ``width``; an unfinished last bin is left out."""
    sums: dict[int, int] = {}
    for at, count in counts:
        index = (at - start) // width
        sums[index] = sums.get(index, 0) + count
    return [
        Point(start + (index + 0.5) * width, total / (width / MINUTE))
        for index, total in sums.items()
        if start + (index + 1) * width <= end
    ]
