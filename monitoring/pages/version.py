"""One model version's page: everything it shows, asked for once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitoring import assessments, comparisons, looseness
from monitoring.comparing import Comparison
from monitoring.models import Incident
from monitoring.pages import figures, rail, timeline, why
from monitoring.pages.figures import Figure
from monitoring.pages.rail import Station
from monitoring.pages.timeline import Timeline
from monitoring.pages.why import Why
from monitoring.triggers import Assessment, Metric
from registry.models import SERVING_STAGES, ModelVersion, StageTransition

EVENTS_SHOWN = 20
DECLARED_SHOWN = (
    ("Training data", "training_data_hash"),
    ("Source", "source"),
    ("Run", "run_id"),
    ("Artifact path", "artifact_path"),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rule says that is not acted on."""

    rule: str
    verdict: str
    figures: list[Figure]


@dataclass(frozen=True, slots=True)
class Live:
    """What changes while one looks: stage, verdicts, charts, incidents."""

    version: ModelVersion
    stations: list[Station]
    why: Why | None
    verdict: str  # overall; "" while it serves nothing
    figures: list[Figure]
    requests: int
    window_minutes: int
    rule: str  # whose verdict that is
    other: Judgement
    beside: Comparison | None  # a canary's errors and production's, over the window
    loosened: list[str]  # where its policy lets more through than the defaults
    timeline: Timeline
    incidents: list[Incident]  # open ones, but for the rollback that ``why`` explains
    transitions: list[StageTransition]  # all, newest first

    @property
    def has_served(self) -> bool:
        """Whether it ever answered requests, so that there is something to chart."""
        return any(t.to_stage in SERVING_STAGES for t in self.transitions)


def live(version: ModelVersion, *, asked: str, now: datetime) -> Live:
    """The live part of the page.

    Args:
        asked: Which range the charts show: window, hour or day.
    """
    transitions = list(version.transitions.select_related("remark"))
    judged = assessments.look(version, now=now)
    assessment, other = judged.both
    reason = why.last_rollback(version, transitions)
    explained = reason.incident if reason else None
    return Live(
        version=version,
        stations=rail.stations(version.stage, transitions),
        why=reason,
        verdict=str(assessment.verdict) if version.is_serving else "",
        figures=[figures.figure(trigger) for trigger in assessment.triggers],
        requests=assessment.requests,
        window_minutes=assessment.window_minutes,
        rule=str(assessment.rule),
        other=Judgement(
            str(other.rule), str(other.verdict), [figures.figure(t) for t in other.triggers]
        ),
        beside=comparisons.against_production(
            version, since=now - timedelta(minutes=assessment.window_minutes), now=now
        ),
        loosened=looseness.loosened(judged.policy),
        timeline=timeline.timeline(
            version,
            transitions,
            _thresholds(assessment, reason),
            window_minutes=assessment.window_minutes,
            asked=asked,
            now=now,
        ),
        incidents=[i for i in version.incidents.filter(resolved_at=None) if i != explained],
        transitions=transitions,
    )


def declared(version: ModelVersion) -> list[tuple[str, Any]]:
    """What the trainer declared, where anything was."""
    said = [(label, getattr(version, name)) for label, name in DECLARED_SHOWN]
    return [(label, value) for label, value in said if value]


def _thresholds(assessment: Assessment, reason: Why | None) -> Mapping[Metric, float | None]:
    """The limits in force; for a version that is out, those it was taken out by."""
    if reason is not None and reason.stands and reason.verdict is not None:
        return {Metric(t["metric"]): t["threshold"] for t in reason.verdict.triggers}
    return {trigger.metric: trigger.threshold for trigger in assessment.triggers}
