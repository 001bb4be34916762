"""How far two histograms over the same bins lie apart. Pure: counts in, numbers out.

Every function takes counts of a reference and of a current sample, bins along the last axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PSI_FLOOR = 1e-4  # the least share of a bin; without it one empty bin makes the index infinite
BOUNDS = (0.025, 0.975)


def shares(counts: npt.NDArray[Any]) -> Floats:
    """The share of each bin.

    Raises:
        ValueError: A histogram is empty, so it has no shares.
    """
    totals = counts.sum(axis=-1, keepdims=True)
    if not np.all(totals > 0):
        raise ValueError("an empty histogram has no shares")
    return np.asarray(counts / totals, dtype=np.float64)


def js_distance(reference: Counts, current: Counts) -> Floats:
    """Jensen-Shannon distance, base 2, between 0 (the same shares) and 1 (no bin in common).

    It is the square root of JSD = KL(p ‖ m)/2 + KL(q ‖ m)/2 with m = (p + q)/2
    (Endres and Schindelin 2003, a metric). Small samples raise it: see ``drift_distance``.
    """
    return np.sqrt(_jsd(shares(reference), shares(current)))


def drift_distance(reference: Counts, current: Counts, *, sampled: int = 1) -> Floats:
    """Jensen-Shannon distance without what sampling alone adds.

    d = sqrt(max(0, JSD − (B−1)(1/n + 1/m)/(8 ln 2))), where B is the number of bins that are
    not empty in either sample and n, m are the sizes. The term is the first-order expectation
    of JSD between two samples of one distribution: 8 ln 2 · JSD · nm/(n + m) is about
    chi-squared with B − 1 degrees of freedom.

    Args:
        sampled: How often the counts were drawn; a bootstrap draw of a sample was drawn twice.
    """
    divergence = _jsd(shares(reference), shares(current))
    filled = np.count_nonzero(reference + current, axis=-1)
    sizes = 1 / reference.sum(axis=-1) + 1 / current.sum(axis=-1)
    excess = sampled * (filled - 1) * sizes / (8 * np.log(2))
    corrected: Floats = np.maximum(0.0, divergence - excess)
    return np.sqrt(corrected)


def drift_bounds(
    reference: Counts, current: Counts, *, draws: int, seed: int
) -> tuple[float, float]:
    """Lower and upper 95 % bound of ``drift_distance`` by a multinomial bootstrap of both counts."""
    rng = np.random.default_rng(seed)
    drawn = drift_distance(
        rng.multinomial(reference.sum(), shares(reference), size=draws),
        rng.multinomial(current.sum(), shares(current), size=draws),
        sampled=2,
    )
    lower, upper = np.quantile(drawn, BOUNDS)
    return float(lower), float(upper)


def psi(reference: Counts, current: Counts) -> float:
    """Population stability index Σ (q − p) ln(q/p), each share at least 1e-4, nothing renormalised."""
    p = np.maximum(shares(reference), PSI_FLOOR)
    q = np.maximum(shares(current), PSI_FLOOR)
    return float(np.sum((q - p) * np.log(q / p)))


def ks(reference: Counts, current: Counts) -> float:
    """Kolmogorov-Smirnov statistic over ordered bins; never more than that of the raw values."""
    gaps = np.cumsum(shares(reference)) - np.cumsum(shares(current))
    return float(np.max(np.abs(gaps)))


def _jsd(p: Floats, q: Floats) -> Floats:
    middle = (p + q) / 2
    return np.maximum(0.0, (_kl(p, middle) + _kl(q, middle)) / 2)


def _kl(p: Floats, middle: Floats) -> Floats:
    """Kullback-Leibler divergence in bits; a bin without p adds nothing."""
    ratio = np.divide(p, middle, out=np.ones_like(middle), where=p > 0)
    return np.asarray(np.sum(p * np.log2(ratio), axis=-1))
