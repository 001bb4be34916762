"""Try a playbook on an event: everything really happens, and is then taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from monitoring.models import PlaybookRun, PlaybookStep, StepState
from monitoring.playbooks import engine, runs, shelf
from monitoring.playbooks.definition import Playbook
from monitoring.playbooks.kinds import Manner
from registry.errors import Conflict, NotFound
from registry.models import Event


def choose(name: str, event_id: int) -> tuple[Playbook, Event]:
    """The playbook and event of these names.

    Raises:
        NotFound: There is no such playbook, or event.
        Conflict: The event is not one that the playbook answers.
    """
    playbook = shelf.shelf().playbooks.get(name)
    if playbook is None:
        there = ", ".join(shelf.shelf().playbooks)
        raise NotFound(f"There is no playbook {name!r}; there are {there}.")
    events = Event.objects.select_related("version__family", "remark")
    event = events.filter(pk=event_id).first()
    if event is None:
        raise NotFound(f"There is no event {event_id}.")
    if not runs.asks_for(event, playbook):
        raise Conflict(f"{event} is not one that {name} answers: see its `on`.")
    return playbook, event


def rehearse(playbook: Playbook, event: Event, *, now: datetime) -> list[str]:
    """What each step would do now, as lines to read. Nothing is changed, and nothing is sent."""
    with transaction.atomic():
        # Another occasion: one that was answered already can be rehearsed too.
        PlaybookRun.objects.filter(playbook=playbook.name, key=runs.key_of(playbook, event)).update(
            key=f"answered before {now.isoformat()}"
        )
        run, _ = engine.start(playbook, event, now=now)
        told = list(_lines(run, playbook))
        transaction.set_rollback(True)
    return told


def _lines(run: PlaybookRun, playbook: Playbook) -> Iterator[str]:
    steps = list(run.steps.all())
    for step in steps:
        yield f"{step.position + 1}. {step.name} ({step.kind}): {_outcome(step, playbook)}"
    if run.ended_at is not None:
        yield f"The run would be {run.state}{f': {run.error}' if run.error else ''}."
    elif any(step.state == StepState.PENDING for step in steps):
        yield f"The run would be {run.state}, and workers would do the rest."


def _outcome(step: PlaybookStep, playbook: Playbook) -> str:
    if step.state != StepState.PENDING:
        return f"{step.state} {step.error or step.result or ''}".rstrip()
    said = runs.told(playbook, step)
    outside = "leaves the house" if said.manner is Manner.EFFECT else "is a transaction"
    later = f", {said.after.total_seconds() / 60:g} minutes later" if said.after else ""
    failed = f" (tried now: {step.error})" if step.error else ""
    return f"{outside}, when its turn comes{later}{failed}"
