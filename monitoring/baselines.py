"""What latency to expect of a version: declared, else what its predecessor showed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import connection

from monitoring import predecessors, rollups
from registry.models import ModelVersion

# Of each version the last 24 hours in which it served, whenever those were.
MEDIAN_P95 = """
select asked.version_id, median.p95
from unnest(%(versions)s::bigint[]) as asked (version_id)
cross join lateral (
    select max(timestamp) as at from memory_model_performance where version_id = asked.version_id
) as newest
cross join lateral (
    select percentile_cont(0.5) within group (order by latency_p95_ms) as p95
    from memory_model_performance
    where version_id = asked.version_id and timestamp > newest.at - interval '24 hours'
        and latency_p95_ms is not null and num_requests > 0
) as median
"""

# Where snapshots are no longer kept, from the hours they were added up into.
ROLLED_UP_MEDIAN_P95 = f"""
with recent as (
    select asked.version_id, hour.latency_bins, hour.latency_bin_rows
    from unnest(%(versions)s::bigint[]) as asked (version_id)
    cross join lateral (
        select max(start) as start from monitoring_hourrollup
        where version_id = asked.version_id
    ) as newest
    join monitoring_hourrollup hour on hour.version_id = asked.version_id
        and hour.start > newest.start - interval '24 hours'
), counted as (
    select version_id, bin, sum(sum(rows)) over (partition by version_id order by bin) as reached,
        sum(sum(rows)) over (partition by version_id) as total
    from recent, unnest(latency_bins, latency_bin_rows) as each (bin, rows)
    group by version_id, bin
)
select version_id, power({rollups.BIN_RATIO}::float8, min(bin))
from counted where 2 * reached >= total group by version_id
"""


def expected_p95_ms(versions: Sequence[ModelVersion]) -> dict[int, float | None]:
    """The expected p95 in milliseconds by version pk; None where nothing tells."""
    silent = [v for v in versions if v.expected_latency_p95_ms is None]
    before = predecessors.productions_before(silent)
    shown = _medians(set(before.values()))
    declared = {v.pk: v.expected_latency_p95_ms for v in versions}
    return declared | {v.pk: shown.get(before.get(v.pk)) for v in silent}


def _medians(versions: Collection[int]) -> dict[int | None, float]:
    shown = _ask(MEDIAN_P95, versions)
    unknown = [pk for pk in versions if shown.get(pk) is None]
    return shown | _ask(ROLLED_UP_MEDIAN_P95, unknown)


def _ask(question: str, versions: Collection[int]) -> dict[int | None, float]:
    if not versions:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(question, {"versions": sorted(versions)})
        return dict(cursor.fetchall())
