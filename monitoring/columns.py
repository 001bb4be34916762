"""Columns as SVG: how many of something there were each day. Pure: no database, no clock.

Positions across are percentages, so a column is as wide as the page allows; heights are pixels.
Colours belong to the stylesheet, by class. All text is escaped here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from monitoring.charts import nice_step

HEIGHT = 96  # pixels of the drawing
TOP = 8  # pixels above it
BOTTOM = 22  # pixels below it, for the dates
LINES = 3  # horizontal ones, at most
FILLED = 0.72  # of a day's width
LEAST = 2.0  # pixels; one of a thousand still shows
WEEK = 7  # days between two dates


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How many there were on each day, ``first`` and those that follow it."""

    title: str
    kind: str  # the class they are painted by
    first: date
    counts: Sequence[int]  # the last day's may grow still

    @property
    def total(self) -> int:
        """How many there were in all."""
        return sum(self.counts)

    @property
    def days(self) -> list[date]:
        """The days, oldest first."""
        return [self.first + timedelta(days=n) for n in range(len(self.counts))]


def column_chart(columns: Columns) -> str:
    """The columns as SVG markup, described in words for those who listen."""
    lines = _lines(columns)
    top = max([*columns.counts, *lines, 1])
    return (
        f'<svg class="chart columns-chart {escape(columns.kind)}" width="100%" '
        f'height="{TOP + HEIGHT + BOTTOM}" role="img" aria-label="{escape(describe(columns))}">'
        f"{_grid(lines, top)}{_drawn(columns, top)}{_dates(columns.days)}"
        f"{'' if columns.total else _nothing()}</svg>"
    )


def describe(columns: Columns) -> str:
    """What the columns show, in one breath: range, total, the highest day, the last one."""
    days = columns.days
    range_ = f"{columns.title} a day, {days[0]} to {days[-1]} UTC"
    if not columns.total:
        return f"{range_}: none."
    most = max(columns.counts)
    return (
        f"{range_}: {columns.total} in all; most on {days[columns.counts.index(most)]}, {most}; "
        f"{columns.counts[-1]} on the last day so far."
    )


def _lines(columns: Columns) -> list[int]:
    """Whole numbers for the horizontal lines, the highest at or above the highest column."""
    most = max(columns.counts)
    if not most:
        return []
    step = max(1, round(nice_step(most, LINES)))
    return list(range(step, most + step, step))


def _y(count: int, top: int) -> float:
    return TOP + HEIGHT * (1 - count / top)


def _grid(lines: Sequence[int], top: int) -> str:
    rows = "".join(
        f'<line class="grid" x2="100%" y1="{_y(n, top):.1f}" y2="{_y(n, top):.1f}"/>'
        f'<text class="value" x="-6" y="{_y(n, top) + 4:.1f}" text-anchor="end">{n:,}</text>'
        for n in lines
    )
    return f'{rows}<line class="base" x2="100%" y1="{TOP + HEIGHT}" y2="{TOP + HEIGHT}"/>'


def _drawn(columns: Columns, top: int) -> str:
    """A column for each day, and a field as high as the chart that says its number."""
    width = 100 / len(columns.counts)
    drawn = []
    for n, (day, count) in enumerate(zip(columns.days, columns.counts, strict=True)):
        high = max(LEAST, HEIGHT * count / top) if count else 0
        last = " last" if n == len(columns.counts) - 1 else ""
        drawn.append(
            f'<g class="day"><rect class="field" x="{n * width:.2f}%" y="{TOP}" '
            f'width="{width:.2f}%" height="{HEIGHT}"/>'
            f'<rect class="column{last}" x="{(n + (1 - FILLED) / 2) * width:.2f}%" '
            f'y="{TOP + HEIGHT - high:.1f}" width="{FILLED * width:.2f}%" height="{high:.1f}"/>'
            f"<title>{day:%a} {_said(day)}: {count:,}</title></g>"
        )
    return "".join(drawn)


def _dates(days: Sequence[date]) -> str:
    """The date of the last day, turned inwards at the edge, and of each a week before another."""
    last = len(days) - 1
    return "".join(
        f'<text class="hour" x="{100 if n == last else (n + 0.5) * 100 / len(days):.2f}%" '
        f'y="{TOP + HEIGHT + 15}" text-anchor="{"end" if n == last else "middle"}">'
        f"{_said(days[n])}</text>"
        for n in range(last, -1, -WEEK)
    )


def _nothing() -> str:
    return (
        f'<text class="nothing" x="50%" y="{TOP + HEIGHT / 2:.0f}" text-anchor="middle">none</text>'
    )


def _said(day: date) -> str:
    return f"{day.day} {day:%b}"
