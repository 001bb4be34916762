"""What to do about a breach. Pure: the facts are given, the row locks are elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitoring.triggers import Assessment, Metric, Verdict


class Action(StrEnum):
    """The one answer to an assessment."""

    NONE = "none"
    WAIT = "wait"  # the initial delay after stage entry has not passed
    ROLL_BACK = "roll_back"
    NOTIFY = "notify"  # policy: dry run, notify only, or hold without a predecessor
    HOLD_SHARED_CAUSE = "hold_shared_cause"
    SUPPRESS_COOLDOWN = "suppress_cooldown"


# What the same inputs would do to a restored version as well.
SHARED_METRICS = frozenset({Metric.INPUT_DRIFT, Metric.LATENCY})


@dataclass(frozen=True, slots=True)
class Manners:
    """How a policy wants breaches answered."""

    automatic: bool = True  # neither dry run nor notify only
    initial_delay: timedelta = timedelta(0)
    cooldown: timedelta = timedelta(seconds=1800)
    hold_on_shared_cause: bool = True
    hold_without_predecessor: bool = False


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else is true at the moment of decision."""

    in_production: bool
    stage_entered_at: datetime
    has_predecessor: bool
    last_hand_back_at: datetime | None  # of the family's production
    canary_breaches: frozenset[Metric]  # of the family's canaries, in the same window


def decide(
    assessment: Assessment, around: Circumstances, manners: Manners, *, now: datetime
) -> Action:
    """The action an assessment calls for; the first reason not to roll back wins."""
    if assessment.verdict is not Verdict.ROLLBACK:
        return Action.NONE
    if now - around.stage_entered_at < manners.initial_delay:
        return Action.WAIT
    if not manners.automatic:
        return Action.NOTIFY
    if not around.in_production:
        return Action.ROLL_BACK
    if manners.hold_on_shared_cause and has_shared_cause(assessment, around.canary_breaches):
        return Action.HOLD_SHARED_CAUSE
    if around.last_hand_back_at and now - around.last_hand_back_at < manners.cooldown:
        return Action.SUPPRESS_COOLDOWN
    if not around.has_predecessor and manners.hold_without_predecessor:
        return Action.NOTIFY
    return Action.ROLL_BACK


def has_shared_cause(production: Assessment, canary_breaches: frozenset[Metric]) -> bool:
    """Whether production and a canary suffer from the same inputs, not from themselves."""
    breached = frozenset(trigger.metric for trigger in production.breaches)
    return bool(breached & canary_breaches & SHARED_METRICS) and Metric.ERROR_RATE not in breached
