"""What people do with progressions: start, pause, resume, let into the next step, abort.

Whoever changes one locks its row first and its family's second, as the sweep does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from governance import promotions
from governance.models import Progression
from governance.progressions import looking, moves, steps
from governance.progressions.deciding import Advance, Stalled
from governance.progressions.moves import State
from governance.progressions.steps import Step
from registry import lifecycle
from registry.errors import Conflict, Unprocessable
from registry.ledger import events
from registry.models import DeploymentStage, ModelVersion


@transaction.atomic
def start(
    version: ModelVersion,
    *,
    actor: str,
    now: datetime,
    asked: Sequence[Step] = steps.DEFAULT,
    note: str = "",
) -> Progression:
    """Let ``version`` progress by itself, from its first step of at least the share it has.

    One in sandbox enters canary by this, through its gate.

    Raises:
        Unprocessable: The steps do not make sense together, or the share is not free.
        Conflict: It is progressing already, or no step before production is left.
        TransitionRefused: It is neither in sandbox nor in canary.
        PromotionBlocked: The gate is closed.
    """
    if said := steps.fault(asked):
        raise Unprocessable.of("steps", said)
    _end_departed(version, now)
    version = lifecycle.lock(version)
    lifecycle.kind_of(version, DeploymentStage.CANARY)
    if version.progressions.filter(ended_at=None).exists():
        raise Conflict(f"{version} is progressing already.")
    position = _first(version, asked)
    moves.take_share(version, asked[position], actor=actor)
    remark = events.remark(note)
    progression = Progression(
        version=lifecycle.lock(version),
        steps=steps.written(asked),
        position=position,
        remark=remark,
        started_by=actor,
        started_at=now,
        revision=0,
    )
    moves.begin_step(progression, asked[position], now=now)
    moves.keep(progression)
    moves.tell(progression, "progression.started", actor, remark)
    return progression


@transaction.atomic
def pause(version: ModelVersion, *, actor: str, now: datetime, note: str = "") -> Progression:
    """Stop the progression's clock until it is resumed. The triggers go on watching.

    Raises:
        Conflict: There is none under way, or it is paused.
    """
    progression = _moving(version)
    moves.pause(progression, actor=actor, now=now, remark=events.remark(note))
    return progression


@transaction.atomic
def resume(version: ModelVersion, *, actor: str, now: datetime, note: str = "") -> Progression:
    """Go on in the step where it was paused; the time of the pause does not count.

    Raises:
        Conflict: There is no paused one, or its rollback has been requested.
        PromotionBlocked: The step's share was lowered meanwhile, and the gate is closed now.
    """
    progression = _unfinished(version)
    if progression.paused_at is None:
        raise Conflict(f"The progression of {version} is not paused.")
    moves.take_share(progression.version, looking.step(progression), actor=actor)
    pause_ = max(timedelta(0), now - progression.paused_at)
    progression.paused_for += pause_
    progression.deadline_at += pause_
    progression.state, progression.paused_at, progression.due_at = State.RUNNING, None, now
    progression.waits_for, progression.remark = [], events.remark(note)
    moves.keep(progression)
    moves.tell(progression, "progression.resumed", actor, progression.remark)
    return progression


@transaction.atomic
def advance(version: ModelVersion, *, actor: str, now: datetime, note: str = "") -> Progression:
    """Let it into its next step. What the step demands is demanded of people too.

    Raises:
        Conflict: There is none under way, it is paused, or its step is not over; the message says why.
        PromotionBlocked: The gate is closed.
    """
    progression = _moving(version)
    found = looking.decision(progression, now=now, let_in=True)
    if not isinstance(found, Advance):
        wait = found.wait if isinstance(found, Stalled) else found
        raise Conflict(f"{version} cannot advance yet. {' '.join(wait.reasons)}")
    progression.remark = events.remark(note) or progression.remark
    moves.enter_next(progression, actor=actor, now=now)
    return progression


@transaction.atomic
def abort(version: ModelVersion, *, actor: str, now: datetime, note: str = "") -> Progression:
    """Take the canary back to sandbox, without blame; its share returns to production.

    Raises:
        Conflict: There is none under way.
    """
    progression = _unfinished(version)
    made = promotions.promote(
        progression.version, to=DeploymentStage.SANDBOX, actor=actor, reason=note
    )
    progression.version = lifecycle.lock(version)
    moves.end(
        progression,
        State.ABORTED,
        "Somebody aborted it.",
        actor=actor,
        now=now,
        remark=made.transition.remark,
    )
    return progression


STEERED: Mapping[str, Callable[..., Progression]] = {
    "pause": pause,
    "resume": resume,
    "advance": advance,
    "abort": abort,
}


def steer(
    version: ModelVersion, action: str, *, actor: str, now: datetime, note: str = ""
) -> Progression:
    """Do one of STEERED, by its name."""
    return STEERED[action](version, actor=actor, now=now, note=note)


def _moving(version: ModelVersion) -> Progression:
    """The unfinished progression, where it is not paused."""
    progression = _unfinished(version)
    if progression.state == State.PAUSED:
        raise Conflict(f"The progression of {version} is paused: resume it first.")
    return progression


def _unfinished(version: ModelVersion) -> Progression:
    """The progression of a canary, its row and its family locked, in this order."""
    rows = version.progressions.filter(ended_at=None).select_for_update()
    progression = rows.first()
    if progression is None:
        raise Conflict(f"{version} is not progressing{_beyond_it(version)}.")
    progression.version = lifecycle.lock(version)
    if progression.version.stage != DeploymentStage.CANARY:
        raise Conflict(f"{version} is {progression.version.stage}, and no canary any more.")
    return progression


def _beyond_it(version: ModelVersion) -> str:
    """What to do for whoever comes too late to stop it."""
    version = lifecycle.lock(version)
    arrived = version.stage == DeploymentStage.PRODUCTION
    return "; it is in production: roll it back to take it out" if arrived else ""


def _end_departed(version: ModelVersion, now: datetime) -> None:
    """End a former progression that the sweep has not come to since the version left canary."""
    former = version.progressions.filter(ended_at=None).select_for_update().first()
    if former is not None:
        former.version = lifecycle.lock(version)
        moves.end_if_departed(former, now=now)


def _first(version: ModelVersion, asked: Sequence[Step]) -> int:
    """The first step whose share is not smaller than what the version has."""
    points = version.canary_basis_points or 0
    for position, step in enumerate(asked):
        if not step.is_production and moves.basis_points(step) >= points:
            return position
    raise Conflict(
        f"{version} has {points / 100:g} % of the traffic already, which is more than any step "
        "before production gives it."
    )
