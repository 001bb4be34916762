"""Ask for a rollback where a trigger has fired, and roll back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from monitoring import (
    assessments,
    circumstances,
    decisions,
    incidents,
    policies,
    predecessors,
    verdicts,
)
from monitoring.decisions import Action
from monitoring.models import Incident, IncidentKind, RecordedVerdict, Severity
from monitoring.triggers import Verdict
from registry import actors, lifecycle
from registry.ledger import events
from registry.models import (
    DeploymentStage,
    Event,
    ModelVersion,
    Remark,
    StageTransition,
    TransitionKind,
)

REQUESTED = "model.rollback.requested"
NOT_GIVEN = "not given"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rollback did."""

    transition: StageTransition
    reasons: tuple[str, ...]
    incident: Incident | None
    restored: ModelVersion | None


@transaction.atomic
def request_if_degraded(version: ModelVersion, *, now: datetime) -> Action:
    """Judge a serving version under its family's lock, and ask for a rollback where it is due.

    Records every change of verdict. At most one request is made for one deployment of a
    version, however often this is called.
    """
    version = lifecycle.lock(version)
    if not version.is_serving:
        return Action.NONE
    policy = policies.policy_of(version.family)
    judged = assessments.judge(version, policy, now=now)
    assessment = judged.acting
    verdict = verdicts.keep_if_changed(version, judged, now=now)
    if assessment.verdict is not Verdict.ROLLBACK:
        return Action.NONE
    around = circumstances.gather(version, policy, now)
    action = decisions.decide(assessment, around, policies.manners(policy), now=now)
    _answer(action, version, verdict, now)
    return action


@transaction.atomic
def roll_back(version: ModelVersion, *, actor: str, now: datetime, reason: str = "") -> Outcome:
    """Roll back on somebody's word, at once, telling subscribers as the monitor does.

    On a version already in rollback nothing changes and what was done is returned.

    Args:
        reason: A person's; without one, the last breaching verdict's reasons stand.

    Raises:
        TransitionRefused: The version serves no traffic.
    """
    version = lifecycle.lock(version)
    if version.stage == DeploymentStage.ROLLBACK:
        return _standing_outcome(version)
    verdict = None if reason else verdicts.latest_breach(version)
    remark = events.remark(reason)
    if version.is_serving:
        _request(version, actor=actor, remark=remark, verdict=verdict)
    return carry_out(version, actor=actor, now=now, remark=remark, verdict=verdict)


@transaction.atomic
def carry_out(
    version: ModelVersion,
    *,
    actor: str,
    now: datetime,
    remark: Remark | None = None,
    verdict: RecordedVerdict | None = None,
) -> Outcome:
    """Take ``version`` out of traffic, hand production back, open the incident: all or nothing.

    Args:
        remark: A person's reason.
        verdict: The verdict that asked for it, where the monitor did.

    Raises:
        TransitionRefused: The version serves no traffic.
    """
    transition = switch(version, actor=actor, remark=remark)
    incident = open_incident(transition, actor=actor, now=now, verdict=verdict)
    return Outcome(transition, _reasons(remark, verdict), incident, restored_by(transition))


@transaction.atomic
def switch(version: ModelVersion, *, actor: str, remark: Remark | None = None) -> StageTransition:
    """Take ``version`` out of traffic and hand production back to its predecessor.

    Raises:
        TransitionRefused: The version serves no traffic.
    """
    version = lifecycle.lock(version)
    was_production = version.stage == DeploymentStage.PRODUCTION
    target = predecessors.hand_back_target(version) if was_production else None
    return lifecycle.roll_back(version, actor=actor, remark=remark, restore=target)


@transaction.atomic
def open_incident(
    transition: StageTransition, *, actor: str, now: datetime, verdict: RecordedVerdict | None
) -> Incident:
    """Open the incident of a rollback, told from what the rollback did."""
    version, remark = lifecycle.lock(transition.version), transition.remark
    was_production = transition.from_stage == DeploymentStage.PRODUCTION
    target = restored_by(transition)
    return incidents.open_for(
        version,
        IncidentKind.ROLLBACK,
        severity=Severity.CRITICAL if was_production else Severity.WARNING,
        summary=_summary(version, was_production, target),
        actor=actor,
        now=now,
        reasons=() if remark else _reasons(remark, verdict),
        remark=remark,
        transition=transition,
        verdict=verdict,
        restored=target,
    )


def restored_by(transition: StageTransition) -> ModelVersion | None:
    """The version that a rollback put into production; None where there was none."""
    made = StageTransition.objects.filter(cause=transition, kind=TransitionKind.RESTORED)
    restoring = made.select_related("version").first()
    return restoring.version if restoring else None


def outcome_of(incident: Incident) -> Outcome | None:
    """What the rollback behind an incident did; None where the incident is of another kind."""
    if incident.transition is None:
        return None
    reasons = _reasons(incident.remark, incident.verdict)
    return Outcome(incident.transition, reasons, incident, incident.restored)


def _answer(action: Action, version: ModelVersion, verdict: RecordedVerdict, now: datetime) -> None:
    if action is Action.ROLL_BACK:
        _request_once(version, verdict)
    elif action in INSTEAD:
        kind, said = INSTEAD[action]
        incidents.open_for(
            version,
            kind,
            severity=Severity.CRITICAL,
            summary=f"{version}: {said}: {'; '.join(verdict.reasons)}.",
            actor=actors.MONITOR,
            now=now,
            reasons=verdict.reasons,
            verdict=verdict,
        )
    if action is Action.HOLD_SHARED_CAUSE:
        _judge_canaries(version, now)


# What people are told where a breach is not answered by a rollback.
INSTEAD = {
    Action.NOTIFY: (IncidentKind.BREACH, "its policy leaves the breach to people"),
    Action.SUPPRESS_COOLDOWN: (
        IncidentKind.COOLDOWN,
        "production was handed back less than the cooldown ago, so it is not handed back again",
    ),
    Action.HOLD_SHARED_CAUSE: (
        IncidentKind.SHARED_CAUSE,
        "a canary breaches the same, so the restored version would meet the same inputs; held",
    ),
}


def _judge_canaries(production: ModelVersion, now: datetime) -> None:
    """Take out the canaries that breach too, each for what it breaches itself."""
    canaries = ModelVersion.objects.filter(
        family=production.family_id, stage=DeploymentStage.CANARY
    )
    for canary in canaries:
        request_if_degraded(canary, now=now)


def is_requested(version: ModelVersion) -> bool:
    """Whether a rollback of this very deployment of the version was asked for."""
    asked = Event.objects.filter(version=version, event_type=REQUESTED)
    latest = asked.order_by("-pk").first()
    return latest is not None and latest.payload["transition_id"] == _current_transition(version)


def _request_once(version: ModelVersion, verdict: RecordedVerdict) -> None:
    """Ask, unless this deployment of the version has been asked about already."""
    if not is_requested(version):
        _request(version, actor=actors.MONITOR, verdict=verdict)


def _request(
    version: ModelVersion,
    *,
    actor: str,
    verdict: RecordedVerdict | None = None,
    remark: Remark | None = None,
) -> Event:
    known: Sequence[str] = verdict.reasons if verdict else ()
    return events.record(
        REQUESTED,
        subject=version,
        actor=actor,
        remark=remark,
        payload={
            "generation": version.family.generation,
            "transition_id": _current_transition(version),
            "stage": version.stage,
            **({"reasons": list(known)} if remark is None else {}),
            **(
                {"verdict_id": verdict.pk, "window_minutes": verdict.window_minutes}
                if verdict
                else {}
            ),
        },
    )


def _current_transition(version: ModelVersion) -> int:
    """What put the version where it is: a new one makes an earlier request stale."""
    return version.transitions.order_by("-pk").values_list("pk", flat=True)[0]


def _standing_outcome(version: ModelVersion) -> Outcome:
    transition = version.transitions.filter(kind=TransitionKind.ROLLED_BACK).order_by("-pk")[0]
    incident = (
        Incident.objects.filter(transition=transition)
        .select_related("transition", "remark", "verdict", "restored")
        .first()
    )
    known = outcome_of(incident) if incident else None
    return known or Outcome(transition, _reasons(transition.remark, None), None, None)


def _reasons(remark: Remark | None, verdict: RecordedVerdict | None) -> tuple[str, ...]:
    if remark is not None:
        return (remark.text,)
    return tuple(verdict.reasons) if verdict and verdict.reasons else (NOT_GIVEN,)


def _summary(version: ModelVersion, was_production: bool, target: ModelVersion | None) -> str:
    if not was_production:
        return f"{version} was taken out of canary; its share returned to production."
    if target is None:
        return f"{version} was withdrawn from production; there was no version to hand back to."
    return f"{version} was rolled back; {target} is in production again."
