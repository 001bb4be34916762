"""What the triggers say of versions now, from their snapshots, policies and baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitoring import baselines, evidence, policies, sums, triggers, windows
from monitoring.models import RecordedVerdict, RollbackPolicy
from monitoring.triggers import Assessment, Rule, Thresholds, Verdict
from monitoring.windows import Measured
from registry.models import DeploymentStage, ModelVersion


@dataclass(frozen=True, slots=True)
class Judged:
    """What both rules say of one version; the policy's choice is acted on."""

    acting: Assessment
    other: Assessment
    measured: Measured
    policy: RollbackPolicy

    @property
    def both(self) -> tuple[Assessment, Assessment]:
        """The one acted on first."""
        return self.acting, self.other


def check(version: ModelVersion, *, now: datetime, window_minutes: int | None = None) -> Assessment:
    """Assess the version's last minutes, by its policy. Changes nothing.

    Args:
        window_minutes: Length of the window; the policy's (10) where None.
    """
    return look(version, now=now, window_minutes=window_minutes).acting


def check_jobs(version: ModelVersion, *, now: datetime, window_minutes: int) -> Assessment:
    """The same by the threshold rule, from what serving tokens reported and nobody else."""
    limits = policies.thresholds(policies.policy_of(version.family))
    expected = baselines.expected_p95_ms([version])
    minutes = {version.pk: window_minutes}
    found = windows.measure([version], minutes, expected, now=now, jobs_only=True)[version.pk]
    return triggers.assess(found.window, replace(limits, window_minutes=window_minutes))


def look(version: ModelVersion, *, now: datetime, window_minutes: int | None = None) -> Judged:
    """The same, by both rules."""
    policy = policies.policy_of(version.family)
    return judge(version, policy, now=now, minutes=window_minutes)


def check_serving(*, now: datetime) -> list[int]:
    """The pks of serving versions whose triggers ask for something new, in a few queries.

    That is a breach, or a verdict other than the one on record.
    """
    serving = list(
        ModelVersion.objects.serving().select_related("family", "family__rollback_policy")
    )
    found = {pk: a.verdict for pk, a in _assess_serving(serving, now).items()}
    latest = RecordedVerdict.objects.filter(version__in=serving).order_by("version_id", "-pk")
    recorded = dict(latest.distinct("version_id").values_list("version_id", "verdict"))
    return [pk for pk, v in found.items() if v is Verdict.ROLLBACK or recorded.get(pk) != v]


def judge(
    version: ModelVersion, policy: RollbackPolicy, *, now: datetime, minutes: int | None = None
) -> Judged:
    """Assess one version by ``policy``, with the measurements it rests on."""
    limits = policies.thresholds(policy)
    if minutes is not None:
        limits = replace(limits, window_minutes=minutes)
    bounds, expected = {version.pk: limits}, baselines.expected_p95_ms([version])
    measured = _measure([version], bounds, expected, now)[version.pk]
    weighed = sums.add_up([version], bounds, expected, now=now)[version.pk]
    plain = triggers.assess(measured.window, limits)
    sure = evidence.assess(measured.window, weighed, limits, in_production=_in_production(version))
    if policies.rule(policy) is Rule.EVIDENCE:
        return Judged(sure, plain, measured, policy)
    return Judged(plain, sure, measured, policy)


def _assess_serving(serving: Sequence[ModelVersion], now: datetime) -> dict[int, Assessment]:
    """Each version by the rule its policy chose; the other is not worked out."""
    chosen = {version.pk: policies.loaded(version.family) for version in serving}
    limits = {pk: policies.thresholds(policy) for pk, policy in chosen.items()}
    expected = baselines.expected_p95_ms(serving)
    measured = _measure(serving, limits, expected, now)
    careful = [v for v in serving if policies.rule(chosen[v.pk]) is Rule.EVIDENCE]
    weighed = sums.add_up(careful, limits, expected, now=now)
    plain = {pk: triggers.assess(m.window, limits[pk]) for pk, m in measured.items()}
    return plain | {
        v.pk: evidence.assess(
            measured[v.pk].window, weighed[v.pk], limits[v.pk], in_production=_in_production(v)
        )
        for v in careful
    }


def _measure(
    versions: Sequence[ModelVersion],
    limits: Mapping[int, Thresholds],
    expected: Mapping[int, float | None],
    now: datetime,
) -> dict[int, Measured]:
    minutes = {pk: limit.window_minutes for pk, limit in limits.items()}
    return windows.measure(versions, minutes, expected, now=now)


def _in_production(version: ModelVersion) -> bool:
    return version.stage == DeploymentStage.PRODUCTION
