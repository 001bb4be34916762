"""Carry runs on: transactions in the control queue, the outside world in its own.

A run belongs to whoever holds its row. Transactions hold the row's lock, effects a lease with a
fencing token; who comes back late settles nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from monitoring.models import PlaybookRun, PlaybookStep, RunState
from monitoring.playbooks import effects, runs, shelf, steps
from monitoring.playbooks.definition import Playbook
from monitoring.playbooks.kinds import Manner
from monitoring.playbooks.turns import NothingToDo, NotYet, Turn
from registry import actors, clock
from registry.errors import RegistryError
from registry.models import Event

Clock = Callable[[], datetime]

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
AT_ONCE = 100  # runs a sweep takes


def answer(event: Event) -> None:
    """Begin what an event asks for; the first transactions are one with its delivery."""
    now = clock.now()
    for playbook in shelf.shelf().hearing(event.event_type):
        if may_start(playbook, event) and runs.asks_for(event, playbook):
            start(playbook, event, now=now)


def may_start(playbook: Playbook, event: Event) -> bool:
    """What playbooks did starts only the product's own, so that users' never run in circles."""
    return event.actor != actors.PLAYBOOK or playbook.name in shelf.shelf().own


@transaction.atomic
def start(playbook: Playbook, event: Event, *, now: datetime) -> tuple[PlaybookRun, bool]:
    """Begin the run for this occasion and do its first transactions.

    Returns:
        The run, and whether it is new.
    """
    run, made = runs.begin(playbook, event, now=now)
    if made and run.state == RunState.RUNNING:
        _carry_on(run, playbook, now)
    return run, made


def carry_on_due(*, now: Clock) -> int:
    """Do the due transactions of all runs; how many runs were taken."""
    return sum(_take(pk, now()) for pk in _due_keys(Manner.TX, now()))


def do_due_effects(*, now: Clock) -> int:
    """Do the due effects of all runs; how many runs were taken."""
    return sum(_take_effect(pk, now) for pk in _due_keys(Manner.EFFECT, now()))


def _due(manner: Manner, now: datetime) -> QuerySet[PlaybookRun]:
    unleased = Q(leased_until=None) | Q(leased_until__lte=now)
    late = Q(deadline_at__lte=now) & ~Q(state=RunState.UNDOING)
    return PlaybookRun.objects.filter(
        unleased, Q(due_at__lte=now) | late, ended_at=None, manner=manner
    )


def _due_keys(manner: Manner, now: datetime) -> list[int]:
    return list(_due(manner, now).order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE])


def _locked(pk: int, manner: Manner, now: datetime) -> PlaybookRun | None:
    """The run, locked; None where another worker has it or it is not due any more."""
    rows = _due(manner, now).select_for_update(skip_locked=True, of=("self",))
    return rows.select_related("event__remark", "version__family").filter(pk=pk).first()


@transaction.atomic
def _take(pk: int, now: datetime) -> bool:
    run = _locked(pk, Manner.TX, now)
    if run is None:
        return False
    if _is_late(run, now):
        return True
    if run.state == RunState.WAITING and not runs.take_turn(run, now=now):
        return True
    _carry_on(run, runs.playbook_of(run), now)
    return True


def _carry_on(run: PlaybookRun, playbook: Playbook, now: datetime) -> None:
    """Do the transactions that are due, each in a savepoint of its own. The caller holds the run."""
    while run.ended_at is None and run.due_at <= now:
        if run.manner == Manner.EFFECT:
            runs.start_soon(run)
            return
        step = runs.next_step(run)
        if step is None:
            runs.schedule(run, playbook, now=now)
            return
        _try(run, playbook, step, now)


def _try(run: PlaybookRun, playbook: Playbook, step: PlaybookStep, now: datetime) -> None:
    turn = _turn(run, playbook, step, now)

    def deed() -> None:
        with transaction.atomic():
            runs.settle(run, step, steps.DEEDS[step.kind](turn), now)
            runs.schedule(run, playbook, now=now)

    _attempt(run, playbook, step, deed, lambda: now)


def _take_effect(pk: int, now: Clock) -> bool:
    """Claim, do, settle: no transaction and no lock is held while it does."""
    with transaction.atomic():
        run = _locked(pk, Manner.EFFECT, now())
        if run is None:
            return False
        if _is_late(run, now()):
            return True
        run.attempt, run.leased_until = run.attempt + 1, now() + LEASE
        run.save(update_fields=["attempt", "leased_until"])
        playbook, step = runs.playbook_of(run), runs.next_step(run)
    if step is None:
        raise LookupError(f"{run} waits for an effect and has no step left.")
    turn = _turn(run, playbook, step, now())

    def deed() -> None:
        result = effects.DEEDS[step.kind](turn)
        with transaction.atomic():
            if not _is_ours(run, step):
                return
            runs.settle(run, step, result, now())
            runs.schedule(run, playbook, now=now())
            if run.ended_at is None and run.due_at <= now():
                runs.start_soon(run)

    _attempt(run, playbook, step, deed, now)
    return True


def _attempt(
    run: PlaybookRun,
    playbook: Playbook,
    step: PlaybookStep,
    deed: Callable[[], None],
    now: Clock,
) -> None:
    """Do it; what it raises is the step's failure, and the run's next move."""
    try:
        deed()
    except NothingToDo as found:
        with transaction.atomic():
            if _is_ours(run, step):
                runs.end(run, RunState.STOPPED, now=now(), error=str(found))
    except (RegistryError, NotYet) as refusal:
        _fail(run, playbook, step, refusal, now)
    except Exception as error:  # whatever a step raises must not hold up the runs behind it
        log.exception("step %r of %s failed", step.name, run)
        _fail(run, playbook, step, error, now)


@transaction.atomic
def _fail(
    run: PlaybookRun, playbook: Playbook, step: PlaybookStep, error: Exception, now: Clock
) -> None:
    """Try again later, unless it was refused, which it would be again, or tried often enough."""
    if not _is_ours(run, step):
        return
    refused = isinstance(error, RegistryError)
    said = str(error) if refused else f"{type(error).__name__}: {error}"
    if refused or step.attempts + 1 >= runs.told(playbook, step).attempts:
        runs.give_up(run, playbook, step, said, now())
    else:
        runs.put_off(run, step, said, now())


def _is_ours(run: PlaybookRun, step: PlaybookStep) -> bool:
    """Whether nobody has claimed the run since. If so it is locked, and both are read anew."""
    held = PlaybookRun.objects.select_for_update().filter(pk=run.pk, attempt=run.attempt)
    if not held.filter(ended_at=None).exists():
        return False
    run.refresh_from_db()
    step.refresh_from_db()
    return True


def _is_late(run: PlaybookRun, now: datetime) -> bool:
    """A run past its deadline fails; compensations are done however late."""
    if run.deadline_at > now or run.state == RunState.UNDOING:
        return False
    runs.give_up(run, runs.playbook_of(run), None, "It was not done by its deadline.", now)
    return True


def _turn(run: PlaybookRun, playbook: Playbook, step: PlaybookStep, now: datetime) -> Turn:
    said = runs.told(playbook, step)
    return Turn(run, step, said.told, runs.results(run), now)
