"""Bars as SVG: counts, shares of traffic, figures with their intervals. Pure: no framework.

Positions are percentages, so a bar is as wide as its place on the page. Colours belong to the
stylesheet, by class. All text is escaped here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

LEAST_SEEN = 0.01  # of the whole: one of ten thousand still shows


@dataclass(frozen=True, slots=True)
class Share:
    """A run of buckets that one version answers."""

    low: int  # basis points
    high: int
    label: str
    kind: str  # the class it is painted by


def traffic_bar(shares: Sequence[Share], *, total: int = 10_000) -> str:
    """The buckets of a family as one bar; what no share covers stays empty."""
    said = ", ".join(f"{s.label} {(s.high - s.low) * 100 / total:g} %" for s in shares)
    rects = "".join(
        f'<rect class="share {escape(s.kind)}" x="{_percent(s.low / total)}" y="0" '
        f'width="{_percent((s.high - s.low) / total)}" height="100%">'
        f"<title>{escape(s.label)}: buckets {s.low} to {s.high - 1}</title></rect>"
        for s in shares
    )
    return (
        f'<svg class="traffic-bar" width="100%" height="14" role="img" '
        f'aria-label="{escape("Traffic: " + (said or "no version answers"))}">'
        f'<rect class="unassigned" width="100%" height="100%"/>{rects}</svg>'
    )


def interval_bar(
    value: float, low: float, high: float, *, bound: float, span: tuple[float, float]
) -> str:
    """A value with its interval on a line over ``span``, and the bound as a tick across it."""
    left, right, middle, tick = (_percent(_place(x, span)) for x in (low, high, value, bound))
    return (
        f'<svg class="interval-bar" width="100%" height="18" role="img" aria-label="{value:.3f}, '
        f'interval {low:.3f} to {high:.3f}, bound {bound:g}">'
        f'<line class="axis" x1="0" x2="100%" y1="9" y2="9"/>'
        f'<line class="bound" x1="{tick}" x2="{tick}" y1="1" y2="17"/>'
        f'<line class="interval" x1="{left}" x2="{right}" y1="9" y2="9"/>'
        f'<circle class="value" cx="{middle}" cy="9" r="3.5"/></svg>'
    )


def count_bar(count: int, most: int, kind: str = "") -> str:
    """A count as a part of the greatest one; the number itself stands beside it in words."""
    width = _percent(max(count / most, LEAST_SEEN) if count else 0.0)
    return (
        f'<svg class="count-bar" width="100%" height="8" aria-hidden="true">'
        f'<rect class="track" width="100%" height="100%" rx="2"/>'
        f'<rect class="{escape(f"count {kind}".strip())}" width="{width}" height="100%" rx="2"/></svg>'
    )


def _place(value: float, span: tuple[float, float]) -> float:
    """Where a value stands on the line, 0 to 1; what is beyond its ends stands at them."""
    least, greatest = span
    return min(1.0, max(0.0, (value - least) / (greatest - least)))


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"
