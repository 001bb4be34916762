"""Charts as SVG: numbers in, markup out. Pure: no database, no clock, no framework.

Every chart is as wide as the page allows and has a fixed height in pixels. The drawing is an inner
``<svg>`` that stretches; words stand outside of it at percentages, so they never stretch. Colours
and strokes belong to the stylesheet, by class. All text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise
from typing import Literal

WIDTH = 1000  # units of the drawing; the page stretches them
HEIGHT = 112  # pixels of the drawing
TOP = 20  # pixels above it, for the labels of marks
BOTTOM = 22  # pixels below it, for the hours
HEADROOM = 1.12  # the highest value leaves this much room above itself
Y_LINES = 3  # about so many horizontal lines
LINE_ROOM = 12  # pixels between two values in the margin
LABEL_ROOM = 0.16  # of the width; a mark nearer to the last labelled one has a line only
NICE_STEPS = (
    *(timedelta(seconds=s) for s in (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)),
    *(timedelta(hours=h) for h in (2, 4, 8, 24, 48, 7 * 24, 14 * 24, 28 * 24)),
)
X_LABELS = 6  # hours and minutes, at most; more would touch on a phone
X_LABELS_LONG = 4  # with seconds


@dataclass(frozen=True, slots=True)
class Point:
    """One value, at the time it was measured."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a line across the chart with a word on top."""

    at: datetime
    label: str
    kind: Literal["stage", "rollback"] = "stage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A line over time, with the threshold it must stay under."""

    title: str
    start: datetime
    end: datetime
    points: Sequence[Point]
    show: Callable[[float], str]  # how a value reads, with its unit
    threshold: float | None = None
    marks: Sequence[Mark] = ()
    gap: timedelta = timedelta.max  # points further apart are not joined


def line_chart(chart: Chart) -> str:
    """The chart as SVG markup, with a title and a description in words for those who listen."""
    scale = _Scale.of(chart)
    drawn = [p for p in chart.points if chart.start <= p.at <= chart.end]
    return (
        f'<svg class="chart" width="100%" height="{TOP + HEIGHT + BOTTOM}" role="img" '
        f'aria-label="{escape(describe(chart))}"><title>{escape(chart.title)}</title>'
        f"<desc>{escape(describe(chart))}</desc>"
        f'<svg class="plot" y="{TOP}" width="100%" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        f"{_grid(scale)}{_limit(chart, scale)}{_lines(chart, scale, drawn)}{_marks(chart, scale)}"
        f"</svg>{_words(chart, scale, drawn)}</svg>"
    )


def describe(chart: Chart) -> str:
    """What the chart shows, in one breath: range, latest value, extremes, threshold, events."""
    values = [p.value for p in chart.points if chart.start <= p.at <= chart.end]
    date = "" if chart.start.date() == chart.end.date() else f"{chart.end:%F} "
    title = f"{chart.title}, {chart.start:%F %T} to {date}{chart.end:%T} UTC"
    said = _about_values(chart, values) if values else ["nothing reported"]
    said += [f"{mark.label} at {mark.at:%H:%M:%S}" for mark in chart.marks]
    return f"{title}: {'; '.join(said)}."


def _about_values(chart: Chart, values: Sequence[float]) -> list[str]:
    said = [
        f"{chart.show(values[-1])} at the end",
        f"between {chart.show(min(values))} and {chart.show(max(values))}",
    ]
    if chart.threshold is not None:
        over = sum(value > chart.threshold for value in values)
        said.append(f"limit {chart.show(chart.threshold)}, {over} of {len(values)} points over it")
    return said


def nice_step(span: float, steps: int) -> float:
    """The 1, 2 or 5 times a power of ten that divides ``span`` into at most ``steps``."""
    rough = span / steps
    power = 10.0 ** math.floor(math.log10(rough))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= rough * (1 - 1e-9))


def time_ticks(start: datetime, end: datetime) -> list[datetime]:
    """Round times in the range on a step people count in; at most X_LABELS of them."""
    span = end - start
    step = next((s for s in NICE_STEPS if span / s <= _most_labels(s)), NICE_STEPS[-1])
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    tick = midnight + math.ceil((start - midnight) / step) * step
    ticks = []
    while tick <= end:
        ticks.append(tick)
        tick += step
    return ticks


def _most_labels(step: timedelta) -> int:
    return X_LABELS if step >= timedelta(minutes=1) else X_LABELS_LONG


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where times and values stand in the drawing."""

    start: datetime
    end: datetime
    top: float  # the value at the upper edge

    @classmethod
    def of(cls, chart: Chart) -> _Scale:
        values = [p.value for p in chart.points] + [chart.threshold or 0.0]
        return cls(chart.start, chart.end, max(values) * HEADROOM)

    def share(self, at: datetime) -> float:
        return (at - self.start) / (self.end - self.start)

    def x(self, at: datetime) -> float:
        return self.share(at) * WIDTH

    def y(self, value: float) -> float:
        return HEIGHT * (1 - value / self.top) if self.top else HEIGHT

    def lines(self) -> list[float]:
        if not self.top:
            return []
        step = nice_step(self.top, Y_LINES)
        return [step * i for i in range(1, int(self.top / step) + 1)]


def _grid(scale: _Scale) -> str:
    lines = "".join(f"M0 {scale.y(v):.1f}H{WIDTH}" for v in scale.lines())
    return f'<path class="grid" d="{lines}M0 {HEIGHT}H{WIDTH}"/>'


def _limit(chart: Chart, scale: _Scale) -> str:
    if chart.threshold is None:
        return ""
    y = scale.y(chart.threshold)
    return (
        f'<rect class="beyond" width="{WIDTH}" height="{y:.1f}"/>'
        f'<path class="limit" d="M0 {y:.1f}H{WIDTH}"/>'
    )


def _lines(chart: Chart, scale: _Scale, drawn: Sequence[Point]) -> str:
    under: list[str] = []
    over: list[str] = []
    area: list[str] = []
    for run in _runs(drawn, chart.gap):
        corners = [(scale.x(p.at), p.value) for p in run]
        area.append(_area(corners, scale))
        for low, piece in _pieces(corners, chart.threshold):
            (under if low else over).append(_path(piece, scale))
    return (
        f'<path class="area" d="{"".join(area)}"/><path class="line" d="{"".join(under)}"/>'
        f'<path class="line over" d="{"".join(over)}"/>'
    )


_Corner = tuple[float, float]  # x in units, value


def _runs(points: Sequence[Point], gap: timedelta) -> Iterable[list[Point]]:
    """Points in order, parted where nothing was reported for longer than ``gap``."""
    run: list[Point] = []
    for point in points:
        if run and point.at - run[-1].at > gap:
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def _pieces(
    corners: Sequence[_Corner], limit: float | None
) -> Iterable[tuple[bool, list[_Corner]]]:
    """The line cut where it crosses ``limit``: (whether at or under it, corners)."""
    piece = [corners[0]]
    low = limit is None or corners[0][1] <= limit
    for before, after in pairwise(corners):
        if limit is not None and (after[1] <= limit) != low:
            part = (limit - before[1]) / (after[1] - before[1])
            crossing = (before[0] + part * (after[0] - before[0]), limit)
            yield low, [*piece, crossing]
            piece, low = [crossing], not low
        piece.append(after)
    yield low, piece


def _path(corners: Sequence[_Corner], scale: _Scale) -> str:
    steps = "L".join(f"{x:.1f} {scale.y(value):.1f}" for x, value in corners)
    return f"M{steps}" if len(corners) > 1 else f"M{steps}h.1"  # a lone point is a dot


def _area(corners: Sequence[_Corner], scale: _Scale) -> str:
    steps = "L".join(f"{x:.1f} {scale.y(value):.1f}" for x, value in corners)
    return f"M{corners[0][0]:.1f} {HEIGHT}L{steps}V{HEIGHT}Z"


def _marks(chart: Chart, scale: _Scale) -> str:
    return "".join(
        f'<path class="mark {mark.kind}" d="M{scale.x(mark.at):.1f} 0V{HEIGHT}"/>'
        for mark in chart.marks
        if chart.start <= mark.at <= chart.end
    )


def _words(chart: Chart, scale: _Scale, drawn: Sequence[Point]) -> str:
    words = [_value("value", scale.y(v), chart.show(v)) for v in _named_lines(chart, scale)]
    if chart.threshold is not None:
        words.append(_value("limit-label", scale.y(chart.threshold), chart.show(chart.threshold)))
    ticks = time_ticks(chart.start, chart.end)
    hour = "%H:%M:%S" if any(t.second for t in ticks) else "%H:%M"
    hour = "%d %b" if all(t.hour == t.minute == t.second == 0 for t in ticks) else hour
    words += [
        _text("hour", scale.share(t), TOP + HEIGHT + 15, t.strftime(hour), "middle") for t in ticks
    ]
    if not drawn:
        words.append(_text("nothing", 0.5, TOP + HEIGHT / 2, "nothing reported", "middle"))
    return "".join(words) + _mark_labels(chart, scale) + _last(chart, scale, drawn)


def _mark_labels(chart: Chart, scale: _Scale) -> str:
    """Labels of the marks, the newest first; one too near to a newer one is left out."""
    labels: list[str] = []
    taken = math.inf
    for mark in sorted(chart.marks, key=lambda m: m.at, reverse=True):
        share = scale.share(mark.at)
        if 0 <= share <= 1 and taken - share >= LABEL_ROOM:
            labels.append(
                _text(f"mark-label {mark.kind}", share, TOP - 7, mark.label, _anchor(share))
            )
            taken = share
    return "".join(labels)


def _last(chart: Chart, scale: _Scale, drawn: Sequence[Point]) -> str:
    if not drawn:
        return ""
    last = drawn[-1]
    over = " over" if chart.threshold is not None and last.value > chart.threshold else ""
    y = TOP + scale.y(last.value)
    return f'<circle class="last{over}" cx="{_percent(scale.share(last.at))}" cy="{y:.1f}" r="3"/>'


def _named_lines(chart: Chart, scale: _Scale) -> list[float]:
    """The lines whose values are written: not those the limit's own value would touch."""
    if chart.threshold is None:
        return scale.lines()
    limit = scale.y(chart.threshold)
    return [v for v in scale.lines() if abs(scale.y(v) - limit) >= LINE_ROOM]


def _value(kind: str, y: float, words: str) -> str:
    """The value of a horizontal line, in the margin that the stylesheet leaves at the left."""
    return (
        f'<text class="{kind}" x="-6" y="{TOP + y + 4:.1f}" text-anchor="end">'
        f"{escape(words)}</text>"
    )


def _text(kind: str, share: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text class="{kind}" x="{_percent(share)}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _anchor(share: float) -> str:
    """Words near an edge turn inwards."""
    return "start" if share < LABEL_ROOM else "end" if share > 1 - LABEL_ROOM else "middle"


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"
