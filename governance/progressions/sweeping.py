"""Carry progressions on, beat by beat: each in a transaction of its own.

What is weighed and what is done about it happen under the family's lock, which rollbacks take too. So
a canary is either rolled back before, and its progression ends, or it advances before, and is rolled
back at its new share; a rollback that was asked for and is not done yet holds it where it is.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from governance.models import Progression
from governance.progressions import looking, moves
from governance.progressions.deciding import Advance, Stalled, Wait
from governance.progressions.moves import State
from registry import actors, lifecycle
from registry.errors import PromotionBlocked, RegistryError
from registry.models import DeploymentStage

AT_ONCE = 1000  # progressions of one beat; the rest are due at the next


def due(*, now: datetime) -> list[int]:
    """The pks of progressions to look at, the longest due first."""
    return list(_due(now).order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE])


@transaction.atomic
def carry_on(pk: int, *, now: datetime) -> bool:
    """Do what is due for one progression; False where a rival has it or did it."""
    rows = _due(now).select_for_update(skip_locked=True, of=("self",))
    progression = rows.select_related("version__family").filter(pk=pk).first()
    if progression is None:
        return False
    progression.version = lifecycle.lock(progression.version)
    if moves.end_if_departed(progression, now=now) or progression.state == State.PAUSED:
        return True
    points = progression.version.canary_basis_points
    if points != moves.basis_points(looking.step(progression)):
        reason = f"Its share was changed to {(points or 0) / 100:g} % meanwhile."
        moves.pause(progression, actor=actors.PROGRESSION, now=now, reason=reason)
        return True
    _act(progression, now)
    return True


def _due(now: datetime) -> QuerySet[Progression]:
    moving = Q(due_at__lte=now) & ~Q(state=State.PAUSED)
    departed = ~Q(version__stage=DeploymentStage.CANARY)
    return Progression.objects.filter(moving | departed, ended_at=None)


def _act(progression: Progression, now: datetime) -> None:
    found = looking.decision(progression, now=now)
    if isinstance(found, Advance):
        _try_next(progression, now)
    elif isinstance(found, Stalled):
        _wait(progression, found.wait, now)
        moves.stall(progression, now=now)
    else:
        _wait(progression, found, now)


def _wait(progression: Progression, found: Wait, now: datetime) -> None:
    moves.wait(progression, found.reasons, needs_people=found.for_person, now=now)


def _try_next(progression: Progression, now: datetime) -> None:
    """Go on; where the gate or the traffic refuses, wait and say what is in the way."""
    try:
        with transaction.atomic():
            moves.enter_next(progression, actor=actors.PROGRESSION, now=now)
    except RegistryError as refusal:
        blocked = refusal.blockers if isinstance(refusal, PromotionBlocked) else [str(refusal)]
        moves.wait(progression, blocked, needs_people=True, now=now)
        if now >= progression.deadline_at and progression.stalled_at is None:
            moves.stall(progression, now=now)
