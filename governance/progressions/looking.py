"""What is known of a canary in its step, read under its family's lock."""

from __future__ import annotations

import math
from datetime import datetime

from django.db.models import Sum

from governance import health
from governance.models import Progression
from governance.progressions import steps
from governance.progressions.deciding import Decision, Facts, decide
from governance.progressions.steps import Step
from monitoring import assessments, comparisons, policies, rollbacks
from monitoring.models import LONGEST_WINDOW_MINUTES, PerformanceSnapshot
from monitoring.parsing import SKEW
from monitoring.triggers import Assessment, Verdict
from registry.models import ModelVersion


def decision(progression: Progression, *, now: datetime, let_in: bool = False) -> Decision:
    """What follows for a progression that is in a step before production.

    Args:
        let_in: A person lets it into the next step, if that step is over.
    """
    here, following = step(progression), next_step(progression)
    return decide(here, following, facts(progression, now=now, let_in=let_in), now)


def step(progression: Progression) -> Step:
    """The step it is in."""
    return steps.read(progression.steps)[progression.position]


def next_step(progression: Progression) -> Step:
    """The one after; there is one until production is reached."""
    return steps.read(progression.steps)[progression.position + 1]


def facts(progression: Progression, *, now: datetime, let_in: bool = False) -> Facts:
    """Everything that is weighed."""
    version, since = progression.version, progression.entered_step_at
    policy = policies.policy_of(version.family)
    recent = assessments.judge(version, policy, now=now).acting
    minutes = _minutes(progression, now)
    record = health.weigh(version, minutes=minutes, now=now)
    whole = record.assessment
    beside = comparisons.against_production(version, since=since, now=now)
    return Facts(
        entered_at=since,
        deadline_at=progression.deadline_at,
        requests=_requests(version, since, now, jobs_only=record.jobs_only),
        now_says=recent.verdict,
        step_says=whole.verdict,
        paused_for=progression.paused_for,
        concerns=_concerns(recent, whole),
        worse=beside.reason if beside is not None and beside.is_worse else None,
        rollback_requested=rollbacks.is_requested(version),
        let_in=let_in,
        called=progression.stalled_at is not None,
    )


def _requests(version: ModelVersion, since: datetime, now: datetime, *, jobs_only: bool) -> int:
    rows = PerformanceSnapshot.objects.filter(
        model_version=version, timestamp__gte=since, timestamp__lte=now + SKEW
    )
    if jobs_only:
        rows = rows.filter(by_job=True)
    found: int | None = rows.aggregate(requests=Sum("num_requests"))["requests"]
    return found or 0


def _minutes(progression: Progression, now: datetime) -> int:
    """The step's length so far in whole minutes, as windows have it."""
    passed = (now - progression.entered_step_at).total_seconds() / 60
    return min(max(1, math.ceil(passed)), LONGEST_WINDOW_MINUTES)


def _concerns(*found: Assessment) -> tuple[str, ...]:
    """The sentences of the triggers that keep an assessment from being ok, each once."""
    said = (
        trigger.reason
        for assessment in found
        for trigger in assessment.triggers
        if trigger.verdict is assessment.verdict and assessment.verdict is not Verdict.OK
    )
    return tuple(dict.fromkeys(said))
