"""Runs as rows: begin one for an occasion, settle its steps, end it. Each with its event."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial, update_wrapper
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet, prefetch_related_objects
from django.utils.module_loading import import_string

from monitoring.models import UNFINISHED, PlaybookRun, PlaybookStep, RunState, StepState
from monitoring.playbooks import condition, definition
from monitoring.playbooks.definition import Limit, Playbook, Step
from monitoring.playbooks.kinds import Manner
from registry import actors
from registry.ledger import events
from registry.models import Event

BACKOFF = timedelta(seconds=2)  # doubled with each attempt
LONGEST_BACKOFF = timedelta(minutes=10)
TURN = timedelta(seconds=5)  # how often a waiting run looks whether it may begin
TURNS = 23  # the class of advisory locks under which runs are counted
TASKS = {
    Manner.TX: "monitoring.tasks.carry_playbooks_on",
    Manner.EFFECT: "monitoring.tasks.do_playbook_effects",
}


def facts_of(event: Event) -> dict[str, Any]:
    """What conditions and keys are about: the event's data, and whose model it is."""
    about: dict[str, Any] = {"event_id": event.pk, "event_type": event.event_type}
    if (version := event.version) is not None:
        about |= {
            "model_id": version.model_id,
            "family": version.family.name,
            "team": version.team,
            "owner": version.owner,
            "risk_tier": version.family.risk_tier,
        }
    return {**about, **event.payload}


def asks_for(event: Event, playbook: Playbook) -> bool:
    """Whether the event is one the playbook answers."""
    if event.event_type != playbook.event_type:
        return False
    if playbook.is_about_a_version and event.version is None:
        return False
    return playbook.when.holds(facts_of(event))


def begin(playbook: Playbook, event: Event, *, now: datetime) -> tuple[PlaybookRun, bool]:
    """Begin the one run of this playbook for this occasion, in the caller's transaction.

    Returns:
        The run, and whether it is new: an occasion that was answered is not answered again.
        A new one runs, waits its turn, or is throttled.
    """
    if playbook.throttle or playbook.concurrency:
        _take_turns(playbook)
    key = key_of(playbook, event)
    run, made = PlaybookRun.objects.get_or_create(
        playbook=playbook.name,
        key=key,
        defaults={
            "definition": playbook.text,
            "digest": playbook.digest,
            "event": event,
            "version": event.version,
            "started_at": now,
            "due_at": now,
            "deadline_at": now + playbook.deadline,
        },
    )
    if not made:
        return run, False
    PlaybookStep.objects.bulk_create(
        PlaybookStep(run=run, position=position, name=step.name, kind=step.kind)
        for position, step in enumerate(playbook.steps)
    )
    _tell(run, "playbook.started", {"digest": run.digest, "event_id": event.pk})
    if playbook.throttle and _is_over(run, playbook.throttle, since=now):
        end(run, RunState.THROTTLED, now=now)
    elif playbook.concurrency and not _has_turn(run, playbook.concurrency):
        run.state, run.due_at = RunState.WAITING, now + TURN
        run.save(update_fields=["state", "due_at"])
    else:
        schedule(run, playbook, now=now)
    return run, True


def key_of(playbook: Playbook, event: Event) -> str:
    """The occasion: the values of the key's fields, or the event itself."""
    facts = facts_of(event)
    values = [condition.field(facts, name) for name in playbook.key]
    if not values or None in values:
        return f"event:{event.pk}"
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def take_turn(run: PlaybookRun, *, now: datetime) -> bool:
    """Let a waiting run begin if fewer than allowed are under way. The caller holds its lock."""
    playbook = playbook_of(run)
    _take_turns(playbook)
    if playbook.concurrency and not _has_turn(run, playbook.concurrency):
        run.due_at = now + TURN
        run.save(update_fields=["due_at"])
        return False
    run.state = RunState.RUNNING
    run.save(update_fields=["state"])
    schedule(run, playbook, now=now)
    return True


def playbook_of(run: PlaybookRun) -> Playbook:
    """The playbook as it was when the run began."""
    return definition.parse(run.definition.encode(), file=f"{run}.yaml")


def next_step(run: PlaybookRun) -> PlaybookStep | None:
    """The step whose turn it is; None where all are settled."""
    return next((step for step in _steps(run) if step.state == StepState.PENDING), None)


def told(playbook: Playbook, step: PlaybookStep) -> Step:
    """What the playbook says of a step, or of the compensation that it is."""
    if step.undoes is None:
        return playbook.steps[step.position]
    found = playbook.steps[step.undoes].compensation
    if found is None:
        raise LookupError(f"{step} compensates a step that has no compensation.")
    return found


def settle(run: PlaybookRun, step: PlaybookStep, result: Mapping[str, Any], now: datetime) -> None:
    """Put on record that a step is done."""
    step.state, step.settled_at, step.result, step.error = StepState.DONE, now, dict(result), ""
    step.attempts += 1
    step.save(update_fields=["state", "settled_at", "result", "error", "attempts"])
    _tell(run, "playbook.step.done", {"step": step.name, "result": dict(result)}, listed=False)


def put_off(run: PlaybookRun, step: PlaybookStep, error: str, now: datetime) -> None:
    """A step failed and will be tried again, later each time."""
    step.attempts, step.error = step.attempts + 1, error[:2000]
    step.save(update_fields=["attempts", "error"])
    run.due_at = now + min(BACKOFF * 2 ** (step.attempts - 1), LONGEST_BACKOFF)
    run.leased_until = None
    run.save(update_fields=["due_at", "leased_until"])


def give_up(
    run: PlaybookRun, playbook: Playbook, step: PlaybookStep | None, error: str, now: datetime
) -> None:
    """A step failed for good, or time is up: compensate what was done, then the run has failed."""
    if step is not None:
        step.attempts += 1
        step.state, step.settled_at, step.error = StepState.FAILED, now, error[:2000]
        step.save(update_fields=["attempts", "state", "settled_at", "error"])
        _tell(run, "playbook.step.failed", {"step": step.name, "error": error[:500]}, listed=False)
    if run.state != RunState.UNDOING:
        _skip_rest(run, now)
        _plan_compensations(run, playbook)
        run.state, run.error = RunState.UNDOING, error[:2000]
        run.save(update_fields=["error", "state"])
    schedule(run, playbook, now=now)


def schedule(run: PlaybookRun, playbook: Playbook, *, now: datetime) -> None:
    """Say when the next step is due and who does it; a run without one has ended."""
    step = next_step(run)
    if step is None:
        end(run, RunState.FAILED if run.state == RunState.UNDOING else RunState.DONE, now=now)
        return
    said = told(playbook, step)
    before = run.manner, run.due_at, run.leased_until
    run.manner, run.due_at, run.leased_until = said.manner, now + said.after, None
    if (run.manner, run.due_at, run.leased_until) != before:
        run.save(update_fields=["manner", "due_at", "leased_until"])


def start_soon(run: PlaybookRun) -> None:
    """Have a worker take the run's next step once this transaction has committed.

    Beat takes what a lost broker missed.
    """
    # Wrapped, because Django logs the name of what failed, and a bare partial has none.
    start = update_wrapper(partial(_start, TASKS[Manner(run.manner)]), _start)
    transaction.on_commit(start, robust=True)


def end(run: PlaybookRun, state: RunState, *, now: datetime, error: str = "") -> None:
    """End a run: what had not its turn is skipped, and nothing is frozen any more."""
    _skip_rest(run, now)
    run.state, run.ended_at, run.error = state, now, error or run.error
    run.leased_until, run.frozen_family = None, None
    run.save(update_fields=["state", "ended_at", "error", "leased_until", "frozen_family"])
    _tell(run, f"playbook.{state}", {"error": run.error} if run.error else {})


def results(run: PlaybookRun) -> dict[str, Any]:
    """What the steps done so far have left for those after them."""
    merged: dict[str, Any] = {}
    for step in _steps(run):
        if step.state == StepState.DONE:
            merged |= step.result
    return merged


def _steps(run: PlaybookRun) -> list[PlaybookStep]:
    """The run's steps, in order; read once, because a rollback waits for what is read."""
    prefetch_related_objects([run], "steps")
    return list(run.steps.all())


def _skip_rest(run: PlaybookRun, now: datetime) -> None:
    for step in _steps(run):
        if step.state == StepState.PENDING:
            step.state, step.settled_at = StepState.SKIPPED, now
            step.save(update_fields=["state", "settled_at"])


def _plan_compensations(run: PlaybookRun, playbook: Playbook) -> None:
    done = [step for step in reversed(_steps(run)) if step.state == StepState.DONE]
    undone = [(s.position, c) for s in done if (c := playbook.steps[s.position].compensation)]
    first = len(playbook.steps)
    PlaybookStep.objects.bulk_create(
        PlaybookStep(
            run=run, position=first + number, name=step.name, kind=step.kind, undoes=position
        )
        for number, (position, step) in enumerate(undone)
    )
    run.refresh_from_db()  # with the steps it has now


def _take_turns(playbook: Playbook) -> None:
    """Those who count a playbook's runs do so one after the other."""
    number = zlib.crc32(playbook.name.encode())
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", [TURNS, number - 2**31])


def _is_over(run: PlaybookRun, throttle: Limit, *, since: datetime) -> bool:
    began = since - timedelta(minutes=throttle.minutes)
    earlier = _alike(run, throttle).filter(started_at__gt=began).exclude(pk=run.pk)
    return earlier.exclude(state=RunState.THROTTLED).count() >= throttle.runs


def _has_turn(run: PlaybookRun, limit: Limit) -> bool:
    """Fewer are under way than allowed, and nobody waits longer."""
    others = _alike(run, limit).filter(state__in=UNFINISHED).exclude(pk=run.pk)
    return others.exclude(state=RunState.WAITING, pk__gt=run.pk).count() < limit.runs


def _alike(run: PlaybookRun, limit: Limit) -> QuerySet[PlaybookRun]:
    rows = PlaybookRun.objects.filter(playbook=run.playbook)
    if limit.per == "all":
        return rows
    if run.version is None:
        return rows.filter(version=None)
    if limit.per == "family":
        return rows.filter(version__family=run.version.family_id)
    return rows.filter(version=run.version_id)


def _tell(
    run: PlaybookRun, event_type: str, facts: Mapping[str, Any], *, listed: bool = True
) -> None:
    """Record what became of a run; a single step is not listed in the model's own history."""
    about = {"model_id": run.version.model_id} if run.version is not None else {}
    events.record(
        event_type,
        actor=actors.PLAYBOOK,
        subject=run.version if listed else None,
        payload={**about, "run_id": run.pk, "playbook": run.playbook, **facts},
    )


def _start(task: str) -> None:
    import_string(task).delay()
