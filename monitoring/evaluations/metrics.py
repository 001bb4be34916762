"""How good predictions are, from states that merge. Pure: arrays in, counts and figures out.

A state is int64 throughout, also where it sums losses (fixed point, 2**-32), so adding states is
exact: the order of batches, and who counted them, cannot change a figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from assay.divergence import Counts, Floats
from monitoring.evaluations import curves

SCORE_BINS = 2**17
CALIBRATION_BINS = 15
UNIT = 2**32  # of the fixed point; sums stay exact up to 5e7 rows
SMALLEST = float(np.finfo(np.float64).eps)  # of a probability in the log loss

ROWS, CORRECT, CONFIDENCE = range(3)  # of the calibration state
LOG_LOSS, BRIER = range(2)  # of the loss state


@dataclass(frozen=True, eq=False)
class ClassificationState:
    """What a set of predictions adds up to; states of disjoint sets add to that of the union.

    ``confusion`` is [label, prediction]. ``histograms`` is [class, is of the class, score bin];
    with two classes only class 1 has one. ``losses`` and the confidences are in 1/UNIT.
    """

    confusion: Counts
    histograms: Counts
    calibration: Counts
    losses: Counts

    @classmethod
    def empty(cls, classes: int) -> Self:
        """The state of no predictions."""
        return cls(
            confusion=np.zeros((classes, classes), dtype=np.int64),
            histograms=np.zeros((len(_curved(classes)), 2, SCORE_BINS), dtype=np.int64),
            calibration=np.zeros((3, CALIBRATION_BINS), dtype=np.int64),
            losses=np.zeros(2, dtype=np.int64),
        )

    @classmethod
    def of(cls, labels: Counts, predictions: Counts, probabilities: Floats) -> Self:
        """The state of a batch.

        Args:
            probabilities: [rows, classes], each row summing to 1.
        """
        classes = probabilities.shape[1]
        cells = np.bincount(labels * classes + predictions, minlength=classes**2)
        return cls(
            confusion=cells.reshape(classes, classes).astype(np.int64),
            histograms=_histograms(labels, probabilities),
            calibration=_calibration(labels, probabilities),
            losses=_losses(labels, probabilities),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.confusion + other.confusion,
            self.histograms + other.histograms,
            self.calibration + other.calibration,
            self.losses + other.losses,
        )

    @property
    def rows(self) -> int:
        """Predictions counted."""
        return int(self.confusion.sum())


@dataclass(frozen=True)
class Summary:
    """Figures by name; one whose denominator is empty is None and ``undefined`` says why."""

    figures: dict[str, float | None]
    undefined: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {"figures": self.figures, "undefined": self.undefined}


def summarize(
    state: ClassificationState, *, scored: tuple[Counts, Floats] | None = None
) -> Summary:
    """Every figure the state knows. With two classes, class 1 is the positive one.

    Precision, recall, F1, AUROC and average precision are those of class 1, or with more classes
    the mean over classes (macro). AUROC and average precision come with the greatest error that
    the bins of the histogram can cause.

    Args:
        scored: Labels and probabilities of the very rows that were counted; both areas are then
            exact and their error bound is 0.

    Raises:
        ValueError: Nothing was counted.
    """
    if not state.rows:
        raise ValueError("no predictions were counted, so there is nothing to summarize")
    figures = _confusion_figures(state.confusion, binary=len(state.confusion) == 2)
    figures |= {
        "log_loss": float(state.losses[LOG_LOSS]) / UNIT / state.rows,
        "brier": float(state.losses[BRIER]) / UNIT / state.rows,
        "ece": calibration_error(state.calibration),
    }
    areas = _areas(state.histograms) if scored is None else _exact_areas(*scored)
    for name, estimates in areas.items():
        figures[name], figures[f"{name}_error_bound"] = _mean(estimates)
    reasons = {name: WHY_UNDEFINED.get(name, NO_CURVE) for name, x in figures.items() if x is None}
    return Summary(figures, reasons)


NO_CURVE = "a class has no rows, or all of them"
WHY_UNDEFINED = {
    "precision": "a class is never predicted",
    "recall": "a class has no rows",
    "f1": "a class has no rows and is never predicted",
    "balanced_accuracy": "a class has no rows",
    "mcc": "labels or predictions are all of one class",
}


def calibration_state(
    confidence: Floats, correct: npt.NDArray[np.bool_], *, bins: int = CALIBRATION_BINS
) -> Counts:
    """Rows, right ones and summed confidence by bin of confidence; the last bin includes 1."""
    at = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    state = np.zeros((3, bins), dtype=np.int64)
    np.add.at(state[ROWS], at, 1)
    np.add.at(state[CORRECT], at, correct)
    np.add.at(state[CONFIDENCE], at, _fixed(confidence))
    return state


def calibration_error(calibration: Counts) -> float:
    """Expected calibration error: Σ share · |accuracy − confidence| over the bins (l1).

    With two classes confidence is that in class 1 and accuracy its share; with more it is the
    confidence in the most likely class and the share in which that is right (Guo et al. 2017).
    """
    gaps = np.abs(calibration[CORRECT] - calibration[CONFIDENCE] / UNIT)
    return float(gaps.sum() / calibration[ROWS].sum())


def _confusion_figures(confusion: Counts, *, binary: bool) -> dict[str, float | None]:
    hits = np.diagonal(confusion)
    precision = _ratios(hits, confusion.sum(axis=0))
    recall = _ratios(hits, confusion.sum(axis=1))
    f1 = _ratios(2 * hits, confusion.sum(axis=0) + confusion.sum(axis=1))
    which = slice(1, 2) if binary else slice(None)
    return {
        "accuracy": float(hits.sum() / confusion.sum()),
        "balanced_accuracy": _average(recall),
        "precision": _average(precision[which]),
        "recall": _average(recall[which]),
        "f1": _average(f1[which]),
        "mcc": _mcc(confusion),
    }


def _mcc(confusion: Counts) -> float | None:
    """Matthews' correlation of labels and predictions, for any number of classes (Gorodkin 2004)."""
    table = confusion.astype(np.float64)
    rows, columns, total = table.sum(axis=1), table.sum(axis=0), table.sum()
    spread = (total**2 - rows @ rows) * (total**2 - columns @ columns)
    if not spread:
        return None
    return float((np.trace(table) * total - rows @ columns) / np.sqrt(spread))


def _ratios(numerators: Counts, denominators: Counts) -> list[float | None]:
    pairs = zip(numerators.tolist(), denominators.tolist(), strict=True)
    return [above / below if below else None for above, below in pairs]


def _average(values: list[float | None]) -> float | None:
    """The mean, undefined as soon as one value is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _areas(histograms: Counts) -> dict[str, list[curves.Estimate | None]]:
    return {
        "auroc": [curves.auroc(counts) for counts in histograms],
        "average_precision": [curves.average_precision(counts) for counts in histograms],
    }


def _exact_areas(labels: Counts, probabilities: Floats) -> dict[str, list[curves.Estimate | None]]:
    each = [(labels == c, probabilities[:, c]) for c in _curved(probabilities.shape[1])]
    return {
        "auroc": [curves.exact_auroc(*one) for one in each],
        "average_precision": [curves.exact_average_precision(*one) for one in each],
    }


def _curved(classes: int) -> range:
    """The classes that have a curve of their own: with two, one curve says it all."""
    return range(1, 2) if classes == 2 else range(classes)


def _mean(estimates: list[curves.Estimate | None]) -> tuple[float | None, float | None]:
    known = [estimate for estimate in estimates if estimate is not None]
    if len(known) < len(estimates):
        return None, None
    return (
        sum(estimate.value for estimate in known) / len(known),
        sum(estimate.error_bound for estimate in known) / len(known),
    )


def _histograms(labels: Counts, probabilities: Floats) -> Counts:
    return np.stack(
        [
            curves.histogram(labels == c, probabilities[:, c], bins=SCORE_BINS)
            for c in _curved(probabilities.shape[1])
        ]
    )


def _calibration(labels: Counts, probabilities: Floats) -> Counts:
    if probabilities.shape[1] == 2:
        confidence, correct = probabilities[:, 1], labels == 1
    else:
        confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    return calibration_state(confidence, correct)


def _losses(labels: Counts, probabilities: Floats) -> Counts:
    given = probabilities[np.arange(len(labels)), labels]
    log_loss = -np.log(np.clip(given, SMALLEST, 1.0))
    hot = np.eye(probabilities.shape[1])[labels]
    squares = ((probabilities - hot) ** 2).sum(axis=1)
    brier = squares / 2 if probabilities.shape[1] == 2 else squares
    return np.array([_fixed(log_loss).sum(), _fixed(brier).sum()], dtype=np.int64)


def _fixed(values: Floats) -> Counts:
    return np.rint(values * UNIT).astype(np.int64)
