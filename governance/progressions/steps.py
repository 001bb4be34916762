"""The steps of a progression: which share, for how long, on how many requests. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

WHOLE = 100  # percent: production
MOST_STEPS = 20
LONGEST_MINUTES = 7 * 24 * 60
MOST_REQUESTS = 10**9
GRACE_MINUTES = 60  # beyond its duration, where a step has no deadline of its own


@dataclass(frozen=True, slots=True)
class Step:
    """One share of live traffic, and what it takes to leave it for the next."""

    percentage: int
    minutes: int = 10
    min_requests: int = 100
    wait: bool = False  # a person lets the canary into this step
    deadline_minutes: int | None = None  # to have left it; None: GRACE_MINUTES beyond ``minutes``

    @property
    def is_production(self) -> bool:
        return self.percentage == WHOLE

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    @property
    def patience(self) -> timedelta:
        """How long it may take before people are called."""
        return timedelta(minutes=self.deadline_minutes or self.minutes + GRACE_MINUTES)


DEFAULT = tuple(Step(percentage) for percentage in (5, 10, 25, 50, WHOLE))


def read(rows: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The steps that are kept as JSON."""
    return tuple(Step(**row) for row in rows)


def written(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The same as JSON."""
    return [asdict(step) for step in steps]


def fault(steps: Sequence[Step]) -> str | None:
    """What is wrong with them together; None where nothing is."""
    shares = [step.percentage for step in steps]
    if not 2 <= len(steps) <= MOST_STEPS:
        return f"Give 2 to {MOST_STEPS} steps."
    if shares != sorted(set(shares)) or shares[-1] != WHOLE:
        return f"Each step's share is larger than the one before, and the last is {WHOLE} %."
    for step in steps:
        if step.deadline_minutes is not None and step.deadline_minutes <= step.minutes:
            return f"The step of {step.percentage} % has its deadline before it is over."
    return None
