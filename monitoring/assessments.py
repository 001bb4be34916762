"""What the triggers say of versions now, from their snapshots, policies and baselines."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from monitoring import baselines, policies, windows
from monitoring.models import RecordedVerdict, RollbackPolicy
from monitoring.triggers import Assessment, Verdict, assess
from monitoring.windows import Measured
from registry.models import ModelVersion


def check(version: ModelVersion, *, now: datetime, window_minutes: int | None = None) -> Assessment:
    """Assess the version's last minutes, by its policy. Changes nothing.

    Args:
        window_minutes: Length of the window; the policy's (10) where None.
    """
    policy = policies.policy_of(version.family)
    return judge(version, policy, now=now, minutes=window_minutes)[0]


def check_serving(*, now: datetime) -> list[int]:
    """The pks of serving versions whose triggers ask for something new, in a few queries.

    That is a breach, or a verdict other than the one on record.
    """
    serving = list(
        ModelVersion.objects.serving().select_related("family", "family__rollback_policy")
    )
    limits = {v.pk: policies.thresholds(_loaded_policy(v)) for v in serving}
    minutes = {pk: limit.window_minutes for pk, limit in limits.items()}
    expected = baselines.expected_p95_ms(serving)
    measured = windows.measure(serving, minutes, expected, now=now)
    found = {pk: assess(m.window, limits[pk]).verdict for pk, m in measured.items()}
    latest = RecordedVerdict.objects.filter(version__in=serving).order_by("version_id", "-pk")
    recorded = dict(latest.distinct("version_id").values_list("version_id", "verdict"))
    return [pk for pk, v in found.items() if v is Verdict.ROLLBACK or recorded.get(pk) != v]


def judge(
    version: ModelVersion, policy: RollbackPolicy, *, now: datetime, minutes: int | None = None
) -> tuple[Assessment, Measured]:
    """Assess one version by ``policy``, with the measurements it rests on."""
    limits = policies.thresholds(policy)
    if minutes is not None:
        limits = replace(limits, window_minutes=minutes)
    expected = baselines.expected_p95_ms([version])
    lengths = {version.pk: limits.window_minutes}
    measured = windows.measure([version], lengths, expected, now=now)[version.pk]
    return assess(measured.window, limits), measured


def _loaded_policy(version: ModelVersion) -> RollbackPolicy:
    """The policy that select_related has brought along, or the defaults."""
    return getattr(version.family, "rollback_policy", None) or RollbackPolicy(family=version.family)
