"""Compare a canary with its family's production version, from what both reported."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from monitoring import policies
from monitoring.arithmetic import squared
from monitoring.comparing import Comparison
from monitoring.parsing import SKEW
from monitoring.weighing import Sums
from registry.models import DeploymentStage, ModelVersion

SUMS = f"""
select version_id, count(*), sum(num_requests), sum(num_requests * error_rate),
    sum({squared("error_rate")})
from memory_model_performance
where version_id = any(%(versions)s) and timestamp >= %(since)s and timestamp <= %(until)s
    and num_requests > 0 and error_rate is not null
group by version_id
"""


def of_window(
    version: ModelVersion, *, now: datetime, window_minutes: int | None = None
) -> Comparison | None:
    """The comparison over the last minutes; the policy's where none are given."""
    minutes = window_minutes or policies.policy_of(version.family).window_minutes
    return against_production(version, since=now - timedelta(minutes=minutes), now=now)


def against_production(
    version: ModelVersion, *, since: datetime, now: datetime
) -> Comparison | None:
    """A canary beside production since then, and not before both were in their stages.

    Returns:
        None where it is no canary, or its family has no production version.
    """
    if version.stage != DeploymentStage.CANARY:
        return None
    production = ModelVersion.objects.filter(
        family=version.family_id, stage=DeploymentStage.PRODUCTION
    ).first()
    if production is None:
        return None
    since = max(since, version.stage_entered_at, production.stage_entered_at)
    found = _sums([version.pk, production.pk], since, now + SKEW)
    return Comparison(found.get(version.pk, Sums()), found.get(production.pk, Sums()))


def _sums(versions: list[int], since: datetime, until: datetime) -> dict[int, Sums]:
    with connection.cursor() as cursor:
        cursor.execute(SUMS, {"versions": versions, "since": since, "until": until})
        return {
            pk: Sums(rows, int(requests), float(events), float(squares))
            for pk, rows, requests, events, squares in cursor.fetchall()
        }
