"""What steps do to our own rows. Each runs in a transaction with its step row and event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from monitoring import assessments, incidents, rollbacks
from monitoring.evaluations import requests
from monitoring.models import EvaluationKind, Incident, IncidentKind, RecordedVerdict, Severity
from monitoring.playbooks.turns import NothingToDo, Turn
from monitoring.triggers import Verdict
from registry import actors, entries, lifecycle, routing
from registry.errors import NotFound
from registry.ledger import bus, events
from registry.models import (
    DataSet,
    DeploymentStage,
    ModelVersion,
    StageTransition,
    TransitionKind,
)

Result = dict[str, Any]


def freeze(turn: Turn) -> Result:
    """Hold promotions of the family: the gate names this run until it thaws or ends."""
    version = lifecycle.lock(turn.version)
    turn.run.frozen_family = version.family
    turn.run.save(update_fields=["frozen_family"])
    return {"frozen": version.family.name}


def thaw(turn: Turn) -> Result:
    """Let promotions through again."""
    turn.run.frozen_family = None
    turn.run.save(update_fields=["frozen_family"])
    return {"frozen": None}


def switch_stage(turn: Turn) -> Result:
    """Carry out what was asked for, unless it was done by hand or overtaken meanwhile."""
    version = lifecycle.lock(turn.version)
    asked = turn.event.payload.get("transition_id")
    standing = version.transitions.order_by("-pk")[0]
    if version.is_serving and standing.pk == asked:
        made = rollbacks.switch(version, actor=turn.event.actor, remark=turn.event.remark)
        return _switched(made, taken_over=False)
    since = version.transitions.filter(pk__gt=asked or standing.pk).order_by("pk").first()
    if since is not None and since.kind == TransitionKind.ROLLED_BACK:
        return _switched(since, taken_over=True)
    raise NothingToDo(f"{version} is {version.stage} by now: the request was overtaken.")


def publish_traffic(turn: Turn) -> Result:
    """The stage change published it; see that it is so, and mend it if not."""
    family = lifecycle.lock(turn.version).family
    plan = routing.plan_of(family)
    serving = ModelVersion.objects.filter(family=family).serving()
    wanted = set(serving.values_list("model_id", flat=True))
    if {target["model_id"] for target in plan.targets} != wanted:
        plan = routing.publish(family, now=turn.now)
    return {"traffic_revision": plan.revision}


def open_rollback_incident(turn: Turn) -> Result:
    """Open the incident of the switch; who rolled back by hand has opened it already."""
    if turn.before.get("taken_over"):
        found = Incident.objects.filter(version=turn.version, kind=IncidentKind.ROLLBACK).first()
        return {"incident_id": found.pk if found else None}
    made = StageTransition.objects.select_related("version__family", "remark").get(
        pk=turn.before["transition_id"]
    )
    verdict = RecordedVerdict.objects.filter(pk=turn.event.payload.get("verdict_id")).first()
    incident = rollbacks.open_incident(made, actor=made.actor, now=turn.now, verdict=verdict)
    return {"incident_id": incident.pk}


def verify_recovery(turn: Turn) -> Result:
    """Judge who answers now: ok is recovered, a breach is not, and too little data tells nothing."""
    answering = _answering(turn)
    found = assessments.check(answering, now=turn.now) if answering else None
    told = {Verdict.OK: "yes", Verdict.ROLLBACK: "no"}
    result = {
        "recovered": told.get(found.verdict, "unknown") if found else "unknown",
        "answering": answering.model_id if answering else None,
        "verdict": str(found.verdict) if found else None,
        "incident_id": turn.before.get("incident_id"),
    }
    reasons = {"reasons": list(found.reasons)} if found and found.reasons else {}
    events.record(
        "model.recovery.checked",
        actor=actors.PLAYBOOK,
        subject=turn.version,
        payload=result | reasons,
    )
    return result


def open_incident(turn: Turn) -> Result:
    """Have people look at it."""
    incident = incidents.open_for(
        lifecycle.lock(turn.version),
        IncidentKind.PLAYBOOK,
        severity=Severity(turn.told["severity"]),
        summary=turn.told["summary"],
        actor=actors.PLAYBOOK,
        now=turn.now,
    )
    return {"incident_id": incident.pk}


def roll_back(turn: Turn) -> Result:
    """Roll back at once, on the playbook's word."""
    version = lifecycle.lock(turn.version)
    if not version.is_serving and version.stage != DeploymentStage.ROLLBACK:
        raise NothingToDo(f"{version} is {version.stage} by now and serves nobody.")
    reason = turn.told.get("reason") or f"The playbook {turn.run.playbook} asks for it."
    outcome = rollbacks.roll_back(version, actor=actors.PLAYBOOK, now=turn.now, reason=reason)
    incident = outcome.incident
    return _switched(outcome.transition, taken_over=False) | {
        "incident_id": incident.pk if incident else None
    }


def set_canary_share(turn: Turn) -> Result:
    """Another share for a canary, by the verb that everybody calls."""
    share = Decimal(str(turn.told["percentage"]))
    return _move(turn, DeploymentStage.CANARY, canary_percentage=share)


def withdraw(turn: Turn) -> Result:
    """Take a canary out."""
    return _move(turn, DeploymentStage(turn.told["to"]))


def request_evaluation(turn: Turn) -> Result:
    """Have the version measured."""
    dataset = DataSet.objects.filter(name=turn.told["dataset"]).first()
    if dataset is None:
        raise NotFound(f"There is no data set {turn.told['dataset']!r}.")
    asked = requests.request(
        turn.version, dataset=dataset, kind=EvaluationKind.SCHEDULED, actor=actors.PLAYBOOK
    )
    return {"evaluation_id": asked.pk}


def publish_event(turn: Turn) -> Result:
    """Tell those who subscribed to a type of the user's own."""
    event = bus.publish(
        turn.told["type"],
        {**turn.told.get("data", {}), "playbook_run_id": turn.run.pk},
        subject=turn.run.version,
        actor=actors.PLAYBOOK,
    )
    return {"event_id": event.pk}


DEEDS: Mapping[str, Callable[[Turn], Result]] = {
    deed.__name__: deed
    for deed in (
        freeze,
        thaw,
        switch_stage,
        publish_traffic,
        open_rollback_incident,
        verify_recovery,
        open_incident,
        roll_back,
        set_canary_share,
        withdraw,
        request_evaluation,
        publish_event,
    )
}


def _move(turn: Turn, to: DeploymentStage, **more: Any) -> Result:
    version = lifecycle.lock(turn.version)
    if version.stage != DeploymentStage.CANARY:
        raise NothingToDo(f"{version} is {version.stage} by now, not in canary.")
    promote = import_string(settings.ASSAY_PROMOTE)
    reason = turn.told.get("reason", "")
    made = promote(version, to=to, actor=actors.PLAYBOOK, reason=reason, **more)
    return {"transition_id": made.transition.pk}


def _switched(made: StageTransition, *, taken_over: bool) -> Result:
    restored = rollbacks.restored_by(made)
    return {
        "transition_id": made.pk,
        "restored_model_id": restored.model_id if restored else None,
        "taken_over": taken_over,
    }


def _answering(turn: Turn) -> ModelVersion | None:
    """Who answers in place of the version that was taken out."""
    if restored := turn.before.get("restored_model_id"):
        return entries.find(restored)
    held = ModelVersion.objects.filter(
        family=turn.version.family_id, stage=DeploymentStage.PRODUCTION
    )
    return held.select_related("family").first()
