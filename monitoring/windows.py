"""Add up the snapshots of many versions' windows, in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from monitoring.parsing import SKEW
from monitoring.triggers import Pooled, Window
from registry.models import ModelVersion

SMALLEST_LATENCY_SAMPLE = 5  # requests; a p95 of fewer says nothing

# Rows count by the time they speak of, not by their arrival, so late and shuffled ones are
# harmless. The two constant bounds let the planner pass over partitions.
SUMS = """
with asked (version_id, since) as (
    select * from unnest(%(versions)s::bigint[], %(since)s::timestamptz[])
), rows as (
    select s.* from asked join memory_model_performance s using (version_id)
    where s.timestamp > %(earliest)s and s.timestamp <= %(latest)s
        and s.timestamp >= asked.since and s.num_requests > 0
        and (s.by_job or not %(jobs_only)s)
), ranked as (
    select version_id, latency_p95_ms, num_requests,
        sum(num_requests) over (partition by version_id order by latency_p95_ms) as reached,
        sum(num_requests) over (partition by version_id) as total
    from rows where latency_p95_ms is not null and num_requests >= %(latency_sample)s
), medians as (
    select version_id, min(latency_p95_ms) filter (where 2 * reached >= total) as value,
        sum(num_requests) as requests, count(*) as snapshots
    from ranked group by version_id
)
select rows.version_id, sum(num_requests), max(timestamp),
    coalesce(sum(num_requests) filter (where error_rate is not null), 0),
    count(error_rate),
    sum(num_requests * error_rate),
    coalesce(sum(num_requests) filter (where ood_rate is not null), 0),
    count(ood_rate),
    sum(num_requests * ood_rate),
    coalesce(sum(num_requests) filter (where input_drift_score is not null), 0),
    count(input_drift_score),
    sum(num_requests * input_drift_score),
    coalesce(medians.requests, 0), coalesce(medians.snapshots, 0), medians.value
from rows left join medians using (version_id)
group by rows.version_id, medians.requests, medians.snapshots, medians.value
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One version's window and the time of its newest row."""

    window: Window
    newest_snapshot_at: datetime | None = None


def measure(
    versions: Sequence[ModelVersion],
    minutes: Mapping[int, int],
    baselines: Mapping[int, float | None],
    *,
    now: datetime,
    jobs_only: bool = False,
) -> dict[int, Measured]:
    """The window of each version: its last so many minutes, and never before its stage entry.

    Args:
        minutes: Window length by version pk.
        baselines: Expected p95 in milliseconds by version pk.
        jobs_only: Only what serving tokens reported.
    """
    if not versions:
        return {}
    starts = {v.pk: now - timedelta(minutes=minutes[v.pk]) for v in versions}
    with connection.cursor() as cursor:
        cursor.execute(
            SUMS,
            {
                "versions": [v.pk for v in versions],
                "since": [max(v.stage_entered_at, starts[v.pk]) for v in versions],
                "earliest": min(starts.values()),
                "latest": now + SKEW,
                "jobs_only": jobs_only,
                "latency_sample": SMALLEST_LATENCY_SAMPLE,
            },
        )
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    return {v.pk: _measured(rows.get(v.pk), baselines[v.pk]) for v in versions}


def _measured(row: tuple | None, expected_p95_ms: float | None) -> Measured:
    if row is None:
        return Measured(Window(expected_p95_ms=expected_p95_ms))
    requests, newest, *pools = row
    error_rate, ood_rate, drift, latency = (pools[i : i + 3] for i in range(0, 12, 3))
    window = Window(
        error_rate=_rate(*error_rate),
        latency=Pooled(int(latency[0]), int(latency[1]), latency[2]),
        ood_rate=_rate(*ood_rate),
        input_drift=_rate(*drift),
        requests=int(requests),
        expected_p95_ms=expected_p95_ms,
    )
    return Measured(window, newest)


def _rate(requests: int, snapshots: int, weighted_sum: float | None) -> Pooled:
    if not requests or weighted_sum is None:
        return Pooled()
    return Pooled(int(requests), int(snapshots), weighted_sum / int(requests))
