"""What latency to expect of a version: declared, else what its predecessor showed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from monitoring import predecessors
from registry.models import ModelVersion

# The last 24 hours in which it served, whenever that was.
MEDIAN_P95 = """
select percentile_cont(0.5) within group (order by latency_p95_ms)
from memory_model_performance
where version_id = %(version)s and latency_p95_ms is not null and num_requests > 0
    and timestamp > (
        select max(timestamp) - interval '24 hours'
        from memory_model_performance where version_id = %(version)s
    )
"""


def expected_p95_ms(versions: Sequence[ModelVersion]) -> dict[int, float | None]:
    """The expected p95 in milliseconds by version pk; None where nothing tells."""
    return {version.pk: _expected(version) for version in versions}


def _expected(version: ModelVersion) -> float | None:
    if version.expected_latency_p95_ms is not None:
        return version.expected_latency_p95_ms
    former = predecessors.production_before(version)
    if former is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(MEDIAN_P95, {"version": former.pk})
        row = cursor.fetchone()
    return None if row is None else row[0]
