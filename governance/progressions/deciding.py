"""Whether a canary may go on to its next step. Pure: no database, no clock.

Nothing that is missing counts in its favour: without requests, without a verdict, and before its time
a step is not over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.progressions.steps import Step
from monitoring.triggers import Verdict


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a canary in one step."""

    entered_at: datetime
    deadline_at: datetime
    requests: int  # of this step
    now_says: Verdict  # the acting rule over the policy's window
    step_says: Verdict  # the same over the step
    paused_for: timedelta = timedelta(0)
    concerns: tuple[str, ...] = ()  # the triggers' sentences that are not ok
    worse: str | None = None  # than production, beyond doubt: the figures
    rollback_requested: bool = False  # and not carried out yet
    let_in: bool = False  # a person lets it into the next step now
    called: bool = False  # people have been called about this step


@dataclass(frozen=True, slots=True)
class Advance:
    """The step is over: on to the next."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet."""

    reasons: tuple[str, ...]
    for_person: bool = False  # and for nothing else


@dataclass(frozen=True, slots=True)
class Stalled:
    """Not yet, and the deadline has passed: people are called, once."""

    wait: Wait


Decision = Advance | Wait | Stalled


def decide(step: Step, following: Step, facts: Facts, now: datetime) -> Decision:
    """What follows from how ``step`` went so far."""
    wait = _wait(step, following, facts, now)
    if wait is None:
        return Advance()
    if now >= facts.deadline_at and not facts.called:
        return Stalled(wait)
    return wait


def _wait(step: Step, following: Step, facts: Facts, now: datetime) -> Wait | None:
    missing = tuple(_missing(step, facts, now))
    if missing:
        return Wait(missing)
    if following.wait and not facts.let_in:
        into = "production" if following.is_production else f"{following.percentage} %"
        return Wait((f"A person lets it into {into}.",), for_person=True)
    return None


def _missing(step: Step, facts: Facts, now: datetime) -> Iterator[str]:
    """What keeps the step from being over, as sentences."""
    if facts.rollback_requested:
        yield "Its rollback has been requested."
    if facts.worse is not None:
        yield f"It does worse than production: {facts.worse}."
    if facts.requests < max(1, step.min_requests):
        yield f"{facts.requests:,} of {step.min_requests:,} requests in this step."
    if not facts.now_says == facts.step_says == Verdict.OK:
        worst = facts.step_says if facts.now_says is Verdict.OK else facts.now_says
        because = f": {'; '.join(facts.concerns)}" if facts.concerns else ""
        yield f"The triggers say {worst.replace('_', ' ')}{because}."
    left = step.duration - (now - facts.entered_at - facts.paused_for)
    if left > timedelta(0):
        yield f"The step lasts {step.minutes} minutes."
