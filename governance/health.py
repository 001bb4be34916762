"""How a version did, as its risk tier counts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from governance import constitution
from monitoring import assessments
from monitoring.triggers import Assessment, Verdict
from registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Record:
    """The verdict on some minutes, and on how many requests it rests."""

    assessment: Assessment
    requests: int  # of serving tokens alone where jobs_only
    jobs_only: bool


def weigh(version: ModelVersion, *, minutes: int, now: datetime) -> Record:
    """How a version did in its last minutes.

    At tier high serving tokens have to show by themselves that it is well. What others report can
    hold it back there, as it can roll it back, and brings nothing forward.
    """
    found = assessments.check(version, now=now, window_minutes=minutes)
    if not constitution.tier_of(version.family.risk_tier).jobs_only:
        return Record(found, found.requests, jobs_only=False)
    told = assessments.check_jobs(version, now=now, window_minutes=minutes)
    graver = found if found.verdict is not Verdict.OK else told
    return Record(graver, told.requests, jobs_only=True)
