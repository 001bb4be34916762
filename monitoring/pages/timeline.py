"""The charts of a version's page: which stretch of time, which thresholds, what happened in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from monitoring.charts import Chart, Mark, line_chart
from monitoring.pages import figures, series
from monitoring.pages.series import Series
from monitoring.triggers import LABELS, Metric
from registry.models import SERVING_STAGES, ModelVersion, StageTransition, TransitionKind

MOST_BINS = 150
FINE = tuple(timedelta(seconds=s) for s in (1, 2, 5, 10, 20, 30))  # from snapshots themselves
ROLLED_UP = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 60, 120, 360, 1440))
FROM_ROLL_UPS = timedelta(hours=1)  # ranges as long as this, or longer
AFTERMATH = 0.1  # of the range, shown after a version has left traffic
LEAD = 0.05  # of the range, shown before it first had any
SHORTEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time to look at."""

    key: str
    label: str
    length: timedelta


@dataclass(frozen=True, slots=True)
class Stint:
    """From when to when a version answered requests, the last time it did."""

    began: datetime
    left: datetime | None  # None: it still does


@dataclass(frozen=True, slots=True)
class Timeline:
    """The charts over one stretch of time, as SVG."""

    span: Span
    spans: list[Span]
    start: datetime
    end: datetime
    left_at: datetime | None  # when the version left traffic, where the charts look back on it
    charts: dict[str, str]  # by metric, and "requests"


def spans(window_minutes: int) -> list[Span]:
    """The ranges on offer: the triggers' own window, an hour, a day, a week, a quarter."""
    return [
        Span("window", f"{window_minutes} min", timedelta(minutes=window_minutes)),
        Span("hour", "1 h", timedelta(hours=1)),
        Span("day", "24 h", timedelta(hours=24)),
        Span("week", "7 d", timedelta(days=7)),
        Span("quarter", "90 d", timedelta(days=90)),
    ]


def timeline(
    version: ModelVersion,
    transitions: Sequence[StageTransition],
    thresholds: Mapping[Metric, float | None],
    *,
    window_minutes: int,
    asked: str,
    now: datetime,
) -> Timeline:
    """The version's charts up to now; up to when it left traffic, where that is long ago.

    They begin no earlier than its traffic did, so that a short life is seen as well as a long one.

    Args:
        transitions: All of the version's, newest first.
        thresholds: What each metric must stay under; None where it has no baseline.
        asked: The key of a span; the triggers' window where it is none.
    """
    offered = spans(window_minutes)
    span = next((s for s in offered if s.key == asked), offered[0])
    stint = last_stint(version, transitions)
    start, end, step = _range(span.length, stint, now)
    found = series.read(version, start=start, end=end, step=step)
    marks = [_mark(t) for t in reversed(transitions) if start <= t.at <= end]
    return Timeline(
        span=span,
        spans=offered,
        start=start,
        end=end,
        left_at=stint.left if stint and end < now else None,
        charts=_charts(found, start, end, thresholds, marks),
    )


def _charts(
    found: Series,
    start: datetime,
    end: datetime,
    thresholds: Mapping[Metric, float | None],
    marks: Sequence[Mark],
) -> dict[str, str]:
    drawn = {
        str(metric): line_chart(
            Chart(
                title=figures.TITLES[metric],
                start=start,
                end=end,
                points=points,
                show=LABELS[metric][1],
                threshold=thresholds.get(metric),
                marks=marks,
                gap=found.gap,
            )
        )
        for metric, points in found.metrics.items()
    }
    drawn["requests"] = line_chart(
        Chart(
            title="Requests a minute",
            start=start,
            end=end,
            points=found.requests_per_minute,
            show=lambda value: f"{value:,.0f}",
            marks=marks,
            gap=max(found.gap, 3 * series.MINUTE),
        )
    )
    return drawn


def last_stint(version: ModelVersion, transitions: Sequence[StageTransition]) -> Stint | None:
    """When it last answered requests without a break; None where it never did.

    Args:
        transitions: All of the version's, newest first.
    """
    left: datetime | None = None
    for transition in transitions:
        if transition.from_stage in SERVING_STAGES and transition.to_stage not in SERVING_STAGES:
            left = transition.at
        if transition.to_stage in SERVING_STAGES and transition.from_stage not in SERVING_STAGES:
            return Stint(transition.at, None if version.is_serving else left)
    return None


def _range(
    length: timedelta, stint: Stint | None, now: datetime
) -> tuple[datetime, datetime, timedelta]:
    """Start, end and bins of the charts, on whole bins so that the picture stands still between."""
    if stint is not None:
        life = (stint.left or now) - stint.began
        length = max(SHORTEST, min(length, life * (1 + LEAD + AFTERMATH)))
    end = now
    if stint is not None and stint.left is not None:
        end = min(now, stint.left + AFTERMATH * length)
    retired = end - length < now - settings.ASSAY_SNAPSHOT_RETENTION
    steps = ROLLED_UP if retired or length >= FROM_ROLL_UPS else (*FINE, *ROLLED_UP)
    step = next((s for s in steps if length / s <= MOST_BINS), ROLLED_UP[-1])
    end = _ceiling(end, step)
    return end - math.ceil(length / step) * step, end, step


def _ceiling(at: datetime, step: timedelta) -> datetime:
    seconds = step.total_seconds()
    return datetime.fromtimestamp(math.ceil(at.timestamp() / seconds) * seconds, UTC)


def _mark(transition: StageTransition) -> Mark:
    if transition.kind == TransitionKind.ROLLED_BACK:
        return Mark(transition.at, "rolled back", "rollback")
    share = transition.canary_basis_points
    label = transition.to_stage if share is None else f"{transition.to_stage} {share / 100:g} %"
    return Mark(transition.at, label)
