"""The charts of a version's page: which stretch of time, which thresholds, what happened in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitoring.charts import Chart, Mark, line_chart
from monitoring.pages import figures, series
from monitoring.pages.series import Series
from monitoring.triggers import LABELS, Metric
from registry.models import SERVING_STAGES, ModelVersion, StageTransition, TransitionKind

POINTS = 60  # of the shortest range; one a second for each minute of the window
AFTERMATH = 0.1  # of the range, shown after a version has left traffic


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time to look at, and how finely."""

    key: str
    label: str
    length: timedelta
    step: timedelta


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
    """The ranges on offer: the triggers' own window, an hour, a day."""
    window = timedelta(minutes=window_minutes)
    return [
        Span("window", f"{window_minutes} min", window, window / POINTS),
        Span("hour", "1 h", timedelta(hours=1), timedelta(seconds=30)),
        Span("day", "24 h", timedelta(hours=24), timedelta(minutes=10)),
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

    Args:
        transitions: All of the version's, newest first.
        thresholds: What each metric must stay under; None where it has no baseline.
        asked: The key of a span; the triggers' window where it is none.
    """
    offered = spans(window_minutes)
    span = next((s for s in offered if s.key == asked), offered[0])
    left_at = _left_traffic(version, transitions)
    end = _end(span, left_at, now)
    start = end - span.length
    found = series.read(version, start=start, end=end, step=span.step)
    marks = [_mark(t) for t in reversed(transitions) if start <= t.at <= end]
    return Timeline(
        span=span,
        spans=offered,
        start=start,
        end=end,
        left_at=left_at if end < now else None,
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


def _left_traffic(version: ModelVersion, transitions: Sequence[StageTransition]) -> datetime | None:
    """When it last stopped answering requests; None while it serves or where it never did."""
    if version.is_serving:
        return None
    return next((t.at for t in transitions if t.from_stage in SERVING_STAGES), None)


def _end(span: Span, left_at: datetime | None, now: datetime) -> datetime:
    """The end of the range, on a whole step so that the picture stands still between steps."""
    end = now if left_at is None else min(now, left_at + AFTERMATH * span.length)
    step = span.step.total_seconds()
    return datetime.fromtimestamp(math.ceil(end.timestamp() / step) * step, UTC)


def _mark(transition: StageTransition) -> Mark:
    if transition.kind == TransitionKind.ROLLED_BACK:
        return Mark(transition.at, "rolled back", "rollback")
    share = transition.canary_basis_points
    label = transition.to_stage if share is None else f"{transition.to_stage} {share / 100:g} %"
    return Mark(transition.at, label)
