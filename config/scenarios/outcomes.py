"""What came of a scenario, read from the record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from config.scenarios.comparing import Made, Outcome
from config.scenarios.series import seconds
from config.scenarios.world import FAMILY
from monitoring import assessments, rollbacks
from monitoring.models import Incident, RecordedVerdict
from registry import routing
from registry.models import (
    DeploymentStage,
    Event,
    ModelFamily,
    ModelVersion,
    StageTransition,
    TransitionKind,
)

AUTOMATIC = "system:"  # what actors that are no people begin with


def verdict(name: str, *, now: datetime) -> str:
    """What is held of a version: the verdict on record, or what its window says where none is."""
    version = ModelVersion.objects.select_related("family").get(model_id=name)
    kept = RecordedVerdict.objects.filter(version=version).order_by("-pk").first()
    return str(kept.verdict if kept else assessments.check(version, now=now).verdict)


def look(verdicts: Mapping[float, Mapping[str, str]], statuses: Mapping[int, list[int]]) -> Outcome:
    """Read it from the database; verdicts and answers were noted on the way."""
    made = StageTransition.objects.filter(actor__startswith=AUTOMATIC).order_by("pk")
    automatic = list(made.select_related("version"))
    plan = routing.plan_of(ModelFamily.objects.get(name=FAMILY))
    opened = Incident.objects.order_by("pk").values_list("version__model_id", "kind", "opened_at")
    return Outcome(
        rollbacks=[_made(each) for each in automatic if each.kind == TransitionKind.ROLLED_BACK],
        stages=dict(ModelVersion.objects.values_list("model_id", "stage")),
        weights={t["model_id"]: Decimal(t["basis_points"]) / 100 for t in plan.targets},
        verdicts=verdicts,
        actions=[
            (action, each.version.model_id, seconds(each.at))
            for each in automatic
            for action in [_action(each)]
            if action
        ],
        incidents=[(name, kind, seconds(at)) for name, kind, at in opened],
        statuses=statuses,
    )


def _made(transition: StageTransition) -> Made:
    if transition.from_stage == DeploymentStage.PRODUCTION:
        restored = rollbacks.restored_by(transition)
    else:
        restored = _production_at(transition)
    return Made(
        transition.version.model_id,
        seconds(transition.at),
        restored.model_id if restored else None,
        _breached(transition),
    )


def _production_at(transition: StageTransition) -> ModelVersion | None:
    """Who held production when it was made."""
    before = StageTransition.objects.filter(pk__lt=transition.pk)
    entered = before.filter(to_stage=DeploymentStage.PRODUCTION).order_by("-pk").first()
    if entered is None or before.filter(version=entered.version_id, pk__gt=entered.pk).exists():
        return None
    return entered.version


def _breached(transition: StageTransition) -> frozenset[str]:
    """The metrics of the verdict that asked for it."""
    version = transition.version
    stay = version.transitions.filter(pk__lt=transition.pk).order_by("-pk")[0]
    asked = Event.objects.filter(version=version, event_type=rollbacks.REQUESTED)
    for request in asked.order_by("-pk"):
        if request.payload["transition_id"] == stay.pk and "verdict_id" in request.payload:
            kept = RecordedVerdict.objects.get(pk=request.payload["verdict_id"])
            return frozenset(t["metric"] for t in kept.triggers if t["verdict"] == "rollback")
    return frozenset()


def _action(transition: StageTransition) -> str | None:
    """The action's name in the format; a larger share is a promotion too."""
    if transition.kind == TransitionKind.ADJUSTED:
        earlier = transition.version.transitions.filter(pk__lt=transition.pk).order_by("-pk")[0]
        grew = (transition.canary_basis_points or 0) > (earlier.canary_basis_points or 0)
        return "promote" if grew else None
    return ACTIONS.get(TransitionKind(transition.kind))


ACTIONS = {
    TransitionKind.PROMOTED: "promote",
    TransitionKind.ROLLED_BACK: "rollback",
    TransitionKind.RESTORED: "restore",
    TransitionKind.ARCHIVED: "archive",
    TransitionKind.WITHDRAWN: "withdraw",
}
