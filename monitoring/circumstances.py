"""What else is true of a family at the moment a breach is decided about."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitoring import assessments, predecessors
from monitoring.decisions import Circumstances
from monitoring.models import RecordedVerdict, RollbackPolicy
from monitoring.triggers import Metric, Verdict
from registry.models import DeploymentStage, ModelVersion, StageTransition, TransitionKind


def gather(version: ModelVersion, policy: RollbackPolicy, now: datetime) -> Circumstances:
    """Read them under the family's lock, so that they hold when the decision is carried out."""
    in_production = version.stage == DeploymentStage.PRODUCTION
    return Circumstances(
        in_production=in_production,
        stage_entered_at=version.stage_entered_at,
        has_predecessor=in_production and predecessors.hand_back_target(version) is not None,
        last_hand_back_at=_last_hand_back(version),
        canary_breaches=_canary_breaches(version, policy, now) if in_production else frozenset(),
    )


def _last_hand_back(version: ModelVersion) -> datetime | None:
    made = StageTransition.objects.filter(
        version__family=version.family_id, kind=TransitionKind.RESTORED
    )
    return made.order_by("-pk").values_list("at", flat=True).first()


def _canary_breaches(
    production: ModelVersion, policy: RollbackPolicy, now: datetime
) -> frozenset[Metric]:
    """What the family's canaries breach, or did when they were taken out within this window."""
    canaries = ModelVersion.objects.filter(
        family=production.family_id, stage=DeploymentStage.CANARY
    ).select_related("family")
    present = {
        t.metric for c in canaries for t in assessments.judge(c, policy, now=now).acting.breaches
    }
    since = now - timedelta(minutes=policy.window_minutes)
    taken_out = RecordedVerdict.objects.filter(
        version__family=production.family_id,
        stage=DeploymentStage.CANARY,
        verdict=RecordedVerdict.Verdict.ROLLBACK,
        decided_at__gt=since,
    )
    past = {
        Metric(trigger["metric"])
        for triggers in taken_out.values_list("triggers", flat=True)
        for trigger in triggers
        if trigger["verdict"] == Verdict.ROLLBACK
    }
    return frozenset(present | past)
