"""What else is true of a family at the moment a breach is decided about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from monitoring import assessments, predecessors
from monitoring.decisions import Circumstances
from monitoring.models import Incident, IncidentKind, RecordedVerdict, RollbackPolicy
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
    """What the family's canaries breach, or did before, so that it is shared with production.

    By either rule: a canary sees a tenth of the requests, and a cause is not less shared for being
    beyond doubt in production first.
    """
    canaries = ModelVersion.objects.filter(
        family=production.family_id, stage=DeploymentStage.CANARY
    ).select_related("family")
    judged = (assessments.judge(canary, policy, now=now) for canary in canaries)
    present = {t.metric for found in judged for rule in found.both for t in rule.breaches}
    since = now - timedelta(minutes=policy.window_minutes)
    taken_out = RecordedVerdict.objects.filter(
        version__family=production.family_id,
        stage=DeploymentStage.CANARY,
        verdict=RecordedVerdict.Verdict.ROLLBACK,
        decided_at__gt=since,
    )
    past = {metric for kept in taken_out for metric in _breached(kept)}
    return frozenset(present | past | _held_for(production))


def _held_for(production: ModelVersion) -> set[Metric]:
    """What production is held for by an open incident: until it has been well since, or people act.

    The canary that shared it is gone within the window, which makes the inputs no better.
    """
    held = Incident.objects.filter(
        version=production,
        kind=IncidentKind.SHARED_CAUSE,
        resolved_at=None,
        opened_at__gte=production.stage_entered_at,
    ).select_related("verdict")
    incident = held.first()
    if incident is None or incident.verdict is None:
        return set()
    since = production.verdicts.filter(pk__gt=incident.verdict.pk)
    if since.filter(verdict=RecordedVerdict.Verdict.OK).exists():
        return set()
    return set(_breached(incident.verdict))


def _breached(kept: RecordedVerdict) -> Iterator[Metric]:
    for trigger in kept.triggers:
        if trigger["verdict"] == Verdict.ROLLBACK:
            yield Metric(trigger["metric"])
