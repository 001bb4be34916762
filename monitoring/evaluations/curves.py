"""AUROC and average precision, from a histogram with an error bound or from the scores, exact. Pure.

A histogram is int64 [2, bins]: rows that are not of the class, then rows that are, by score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.divergence import Counts, Floats

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """A figure and how far the exact one can be from it."""

    value: float
    error_bound: float


def histogram(positive: Flags, scores: Floats, *, bins: int) -> Counts:
    """Count scores of 0..1 into equal bins; the last one is closed on both sides."""
    at = np.minimum((scores * bins).astype(np.int64), bins - 1)
    counts = np.bincount(positive * bins + at, minlength=2 * bins)
    return counts.reshape(2, bins).astype(np.int64)


def auroc(counts: Counts) -> Estimate | None:
    """Area under the ROC curve, pairs in one bin counted half; None without both kinds of rows.

    The bound is half the share of pairs in one bin: each of them may count nothing or one.
    """
    negatives, positives = counts.astype(np.float64)
    pairs = negatives.sum() * positives.sum()
    if not pairs:
        return None
    below = np.cumsum(negatives) - negatives
    tied = positives @ negatives / 2
    return Estimate(float((positives @ below + tied) / pairs), float(tied / pairs))


def average_precision(counts: Counts) -> Estimate | None:
    """Σ (Rₖ − Rₖ₋₁)·Pₖ over falling thresholds, a bin taken as one; None without positives.

    In a bin the exact sum is greatest with its positives first and least with them last; the
    precision at the last and the first of them bound it.
    """
    negatives, positives = counts[:, ::-1].astype(np.float64)
    if not positives.sum():
        return None
    filled = positives > 0
    hits, falls = np.cumsum(positives)[filled], np.cumsum(negatives)[filled]
    here, wrong = positives[filled], negatives[filled]
    share = here / positives.sum()
    value = share * hits / (hits + falls)
    greatest = share * hits / (hits + falls - wrong)
    first = hits - here + 1
    least = share * first / (first + falls)
    bound = np.maximum(greatest - value, value - least)
    return Estimate(float(value.sum()), float(bound.sum()))


def exact_auroc(positive: Flags, scores: Floats) -> Estimate | None:
    """Area under the ROC curve of the scores themselves, ties counted half."""
    return _exactly(auroc(_distinct(positive, scores)))


def exact_average_precision(positive: Flags, scores: Floats) -> Estimate | None:
    """Average precision over every distinct score."""
    return _exactly(average_precision(_distinct(positive, scores)))


def _distinct(positive: Flags, scores: Floats) -> Counts:
    """A histogram with one bin for each distinct score: its bins hide no order."""
    distinct, at = np.unique(scores, return_inverse=True)
    counts = np.bincount(positive * distinct.size + at, minlength=2 * distinct.size)
    return counts.reshape(2, distinct.size).astype(np.int64)


def _exactly(estimate: Estimate | None) -> Estimate | None:
    return None if estimate is None else Estimate(estimate.value, 0.0)
