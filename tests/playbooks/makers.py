"""Playbooks, events and the passing of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from monitoring.models import PlaybookRun
from monitoring.playbooks import definition, engine
from monitoring.playbooks.definition import Playbook
from registry.ledger import events
from registry.models import Event, ModelVersion
from tests.conftest import NOW

PLAIN = """\
playbook: plain
on: {{event: team.worried}}
{more}
steps:
{steps}
"""
SAY = "  - {name: say, do: publish_event, with: {type: team.said}}"


def book(*steps: str, more: str = "") -> Playbook:
    """A playbook on ``team.worried``; each step as YAML in one line, without its dash."""
    lines = "\n".join(f"  - {step}" for step in steps) or SAY
    return definition.parse(PLAIN.format(more=more, steps=lines).encode(), file="plain.yaml")


def worry(version: ModelVersion | None = None, **facts: Any) -> Event:
    """Something that playbooks answer."""
    return events.record("team.worried", actor="user:1", subject=version, payload=facts)


def begin(playbook: Playbook, event: Event, *, at: datetime = NOW) -> PlaybookRun:
    """The run for an event."""
    return engine.start(playbook, event, now=at)[0]


def pass_time(seconds: float = 0, *, since: datetime = NOW) -> datetime:
    """Let beat look at every run, transactions and effects, so long after."""
    then = since + timedelta(seconds=seconds)
    while engine.carry_on_due(now=lambda: then) + engine.do_due_effects(now=lambda: then):
        pass
    return then


def said(event_type: str = "team.said") -> int:
    """How many events of a type there are."""
    return Event.objects.filter(event_type=event_type).count()


def states(run: PlaybookRun) -> list[tuple[str, str]]:
    """Names and states of a run's steps."""
    return list(run.steps.values_list("name", "state"))
