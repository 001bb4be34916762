"""What latency to expect of a version: declared, else what its predecessor showed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from monitoring import predecessors
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


def expected_p95_ms(versions: Sequence[ModelVersion]) -> dict[int, float | None]:
    """The expected p95 in milliseconds by version pk; None where nothing tells."""
    silent = [v for v in versions if v.expected_latency_p95_ms is None]
    before = predecessors.productions_before(silent)
    shown = _medians(set(before.values()))
    declared = {v.pk: v.expected_latency_p95_ms for v in versions}
    return declared | {v.pk: shown.get(before.get(v.pk)) for v in silent}


def _medians(versions: Iterable[int]) -> dict[int | None, float]:
    if not versions:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(MEDIAN_P95, {"versions": sorted(versions)})
        return dict(cursor.fetchall())
