"""95 % intervals for shares, for ratios of shares and for gaps between groups. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.divergence import Counts, Floats

Z = 1.959963984540054  # 97.5 % point of the normal distribution
BOUNDS = (0.025, 0.975)


@dataclass(frozen=True)
class Interval:
    """An estimate between its 95 % bounds, and how they were found."""

    value: float
    lower: float
    upper: float
    method: str


def wilson(hits: int, rows: int) -> Interval:
    """Interval of a share (Wilson 1927); it stays between 0 and 1 and is never empty.

    Raises:
        ValueError: There are no rows, so there is no share.
    """
    if not rows:
        raise ValueError("no rows have no share")
    share = hits / rows
    scale = 1 + Z**2 / rows
    centre = (share + Z**2 / (2 * rows)) / scale
    half = Z * np.sqrt(share * (1 - share) / rows + Z**2 / (4 * rows**2)) / scale
    lower = 0.0 if hits == 0 else float(centre - half)
    upper = 1.0 if hits == rows else float(centre + half)
    return Interval(share, lower, upper, "Wilson")


def ratio(hits: int, rows: int, best_hits: int, best_rows: int) -> Interval | None:
    """Interval of the ratio of two shares, or None where the reference share is 0.

    Log interval of Katz et al. (1978): ln RR ± z·sqrt(1/x₁ − 1/n₁ + 1/x₂ − 1/n₂). A group
    without a hit has ratio 0; its upper bound adds 0.5 to every count (Walter 1975).
    """
    if not best_hits:
        return None
    if not hits:
        upper = _log_bounds(0.5, rows + 0.5, best_hits + 0.5, best_rows + 0.5)[1]
        return Interval(0.0, 0.0, upper, "Katz, 0.5 added (Walter)")
    lower, upper = _log_bounds(hits, rows, best_hits, best_rows)
    return Interval(hits / rows / (best_hits / best_rows), lower, upper, "Katz")


def gap(numerators: Counts, denominators: Counts) -> Floats:
    """Greatest less least share over the last axis, groups without rows left out."""
    known = denominators > 0
    shares = np.divide(
        numerators, denominators, out=np.zeros(known.shape, dtype=np.float64), where=known
    )
    highest = np.where(known, shares, -np.inf).max(axis=-1)
    lowest = np.where(known, shares, np.inf).min(axis=-1)
    return np.asarray(np.maximum(highest - lowest, 0.0), dtype=np.float64)


def resample(counts: Counts, *, draws: int, seed: int) -> Counts:
    """Bootstrap a table of counts: drawing its rows anew is one multinomial draw of its cells.

    Returns:
        Tables [draws, *counts.shape] with the same total.
    """
    flat = counts.ravel()
    drawn = np.random.default_rng(seed).multinomial(flat.sum(), flat / flat.sum(), size=draws)
    return drawn.reshape(draws, *counts.shape).astype(np.int64)


def percentile(value: float, drawn: Floats) -> Interval:
    """The middle 95 % of bootstrap draws around an estimate."""
    lower, upper = np.quantile(drawn, BOUNDS)
    return Interval(value, float(lower), float(upper), "bootstrap")


def _log_bounds(
    hits: float, rows: float, best_hits: float, best_rows: float
) -> tuple[float, float]:
    middle = np.log(hits / rows) - np.log(best_hits / best_rows)
    error = np.sqrt(1 / hits - 1 / rows + 1 / best_hits - 1 / best_rows)
    return float(np.exp(middle - Z * error)), float(np.exp(middle + Z * error))
