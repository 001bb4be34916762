"""What is written as a progression goes its way. The caller holds its row and its family's lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from governance import promotions
from governance.models import Progression, ProgressionState
from governance.progressions import looking
from governance.progressions.steps import Step
from monitoring import incidents, rollbacks
from monitoring.models import Incident, IncidentKind, Severity
from registry import actors
from registry.errors import Conflict
from registry.ledger import events
from registry.models import DeploymentStage, ModelVersion, Remark, TransitionKind

Stage = DeploymentStage
State = ProgressionState
LOOK = timedelta(seconds=10)  # between looks at a step whose time is over


def take_share(version: ModelVersion, step: Step, *, actor: str) -> None:
    """Give the version the step's share of traffic, through the gate.

    Raises:
        Conflict: Its rollback has been requested, which another move would overtake.
        PromotionBlocked: The gate is closed.
        Unprocessable: Other canaries of the family have too much of the traffic.
    """
    if rollbacks.is_requested(version):
        raise Conflict(f"The rollback of {version} has been requested.")
    if step.is_production:
        promotions.promote(version, to=Stage.PRODUCTION, actor=actor)
    elif version.canary_basis_points != basis_points(step):
        promotions.promote(
            version, to=Stage.CANARY, actor=actor, canary_percentage=Decimal(step.percentage)
        )


def enter_next(progression: Progression, *, actor: str, now: datetime) -> None:
    """Take the version to its next step, which is production at the end.

    Raises:
        RegistryError: The gate or the traffic refuses; nothing was changed.
    """
    following = looking.next_step(progression)
    take_share(progression.version, following, actor=actor)
    progression.position += 1
    if following.is_production:
        end(progression, State.DONE, "It is in production.", actor=actor, now=now)
        return
    _close_stall(progression, now)
    begin_step(progression, following, now=now)
    keep(progression)
    tell(progression, "progression.advanced", actor)


def begin_step(progression: Progression, step: Step, *, now: datetime) -> None:
    """Start the step's time and deadline. Saves nothing."""
    progression.state, progression.stalled_at = State.RUNNING, None
    progression.entered_step_at, progression.paused_for = now, timedelta(0)
    progression.due_at, progression.deadline_at = now + step.duration, now + step.patience
    progression.waits_for = [f"The step lasts {step.minutes} minutes."]


def wait(
    progression: Progression, reasons: Sequence[str], *, needs_people: bool, now: datetime
) -> None:
    """Note what it waits for; that it waits for people is an event, once.

    Args:
        needs_people: No measurement will change it: somebody lets it in, or opens the gate.
    """
    former, progression.waits_for = progression.state, list(reasons)
    progression.state = State.WAITING if needs_people else State.RUNNING
    progression.due_at = now + LOOK
    keep(progression)
    if needs_people and former != State.WAITING:
        tell(progression, "progression.waiting", actors.PROGRESSION)


def stall(progression: Progression, *, now: datetime) -> None:
    """Call people: the step has not been left by its deadline. Nothing else happens."""
    progression.stalled_at = now
    keep(progression)
    step = looking.step(progression)
    incidents.open_for(
        progression.version,
        IncidentKind.PROGRESS_STALLED,
        severity=Severity.WARNING,
        summary=f"{progression.version} has not left its step of {step.percentage} % by "
        f"{progression.deadline_at:%Y-%m-%d %H:%M} UTC.",
        actor=actors.PROGRESSION,
        now=now,
    )
    tell(progression, "progression.stalled", actors.PROGRESSION)


def pause(
    progression: Progression,
    *,
    actor: str,
    now: datetime,
    remark: Remark | None = None,
    reason: str = "Somebody paused it.",
) -> None:
    """Stop its clock; its share stays, and the triggers go on watching."""
    progression.state, progression.paused_at = State.PAUSED, now
    progression.waits_for, progression.remark = [reason], remark
    keep(progression)
    tell(progression, "progression.paused", actor, remark)


def end(
    progression: Progression,
    state: ProgressionState,
    reason: str,
    *,
    actor: str,
    now: datetime,
    remark: Remark | None = None,
) -> None:
    """End it as done or aborted."""
    _close_stall(progression, now)
    progression.state, progression.ended_at, progression.paused_at = state, now, None
    progression.waits_for = [reason]
    progression.remark = remark or progression.remark
    keep(progression)
    ended = "progression.finished" if state == State.DONE else "progression.aborted"
    tell(progression, ended, actor, remark)


def end_if_departed(progression: Progression, *, now: datetime) -> bool:
    """End the progression of a version that is no canary any more; whether it is none."""
    version = progression.version
    if version.stage == Stage.CANARY:
        return False
    state = State.DONE if version.stage == Stage.PRODUCTION else State.ABORTED
    end(progression, state, _departure(version), actor=actors.PROGRESSION, now=now)
    return True


def keep(progression: Progression) -> None:
    """Write it as its next revision."""
    progression.revision += 1
    progression.save()


def tell(
    progression: Progression, event_type: str, actor: str, remark: Remark | None = None
) -> None:
    """Put on record what happened to it."""
    step = looking.step(progression)
    facts: dict[str, Any] = {
        "progression_id": progression.pk,
        "step": progression.position,
        "percentage": step.percentage,
    }
    if progression.ended_at is not None and remark is None:
        facts["reasons"] = progression.waits_for
    events.record(
        event_type, subject=progression.version, actor=actor, payload=facts, remark=remark
    )


def basis_points(step: Step) -> int:
    """The step's share as versions have it."""
    return step.percentage * 100


def _departure(version: ModelVersion) -> str:
    """Why a version is no canary any more, without people's words."""
    if version.stage == Stage.PRODUCTION:
        return "It was promoted to production by hand."
    left = version.transitions.filter(from_stage=Stage.CANARY).order_by("-pk")
    last = left.exclude(to_stage=Stage.CANARY).first()
    if last is None or last.kind != TransitionKind.ROLLED_BACK:
        return f"It was taken out of canary, to {version.stage}."
    incident = Incident.objects.filter(transition=last).first()
    because = f": {'; '.join(incident.reasons)}" if incident and incident.reasons else ""
    return f"It was rolled back{because}."


def _close_stall(progression: Progression, now: datetime) -> None:
    """The step is left: resolve the incident that called people about it."""
    if progression.stalled_at is None:
        return
    standing = progression.version.incidents.filter(
        kind=IncidentKind.PROGRESS_STALLED, resolved_at=None
    )
    for incident in standing:
        incidents.resolve(incident, actor=actors.PROGRESSION, now=now)
