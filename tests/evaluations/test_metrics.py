"""Figures of predictions: known answers, and states that merge to the whole."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.divergence import Counts, Floats
from monitoring.evaluations import metrics
from monitoring.evaluations.metrics import ClassificationState
from tests.evaluations.vectors import EVALUATION

BINARY = EVALUATION["binary"]
FIGURES = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "f1",
    "mcc": "mcc",
    "log_loss": "log_loss",
    "brier": "brier",
    "ece": "ece15_l1",
    "auroc": "auroc",
    "average_precision": "average_precision",
}
Batch = tuple[Counts, Counts, Floats]


def two_classes(scores: list[float]) -> Floats:
    positive = np.array(scores)
    return np.stack([1 - positive, positive], axis=1)


def binary_batch(case: dict[str, Any]) -> Batch:
    probabilities = two_classes(case["score"])
    return np.array(case["y"]), (probabilities[:, 1] >= 0.5).astype(np.int64), probabilities


def softmax(logits: list[list[float]]) -> Floats:
    raised = np.exp(np.array(logits) - np.max(logits, axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Labels, predictions and probabilities of a few classes."""
    classes, rows = draw(st.integers(2, 4)), draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probabilities = rng.dirichlet(np.ones(classes), rows)
    return rng.integers(0, classes, rows), probabilities.argmax(axis=1), probabilities


def same(one: ClassificationState, other: ClassificationState) -> bool:
    return all(
        np.array_equal(getattr(one, part), getattr(other, part))
        for part in ("confusion", "histograms", "calibration", "losses")
    )


@pytest.mark.parametrize("case", BINARY, ids=lambda case: case["name"])
def test_the_figures_of_two_classes_are_those_of_scikit_learn(case: dict[str, Any]) -> None:
    labels, predictions, probabilities = binary_batch(case)
    state = ClassificationState.of(labels, predictions, probabilities)

    figures = metrics.summarize(state, scored=(labels, probabilities)).figures

    assert state.confusion.ravel().tolist() == case["confusion_tn_fp_fn_tp"]
    for name, known in FIGURES.items():
        assert figures[name] == pytest.approx(case[known], abs=1e-9), name
    assert figures["auroc_error_bound"] == figures["average_precision_error_bound"] == 0.0


@pytest.mark.parametrize("case", BINARY, ids=lambda case: case["name"])
def test_calibration_over_ten_bins_and_its_worst_bin_are_those_of_torchmetrics(
    case: dict[str, Any],
) -> None:
    confidence, correct = np.array(case["score"]), np.array(case["y"]) == 1

    ten = metrics.calibration_state(confidence, correct, bins=10)
    rows, right, summed = metrics.calibration_state(confidence, correct)

    assert metrics.calibration_error(ten) == pytest.approx(case["ece10_l1"], abs=1e-9)
    gaps = np.abs(right - summed / metrics.UNIT) / np.maximum(rows, 1)
    assert gaps.max() == pytest.approx(case["mce15"], abs=1e-9)


@pytest.mark.parametrize("case", BINARY, ids=lambda case: case["name"])
def test_areas_from_histograms_keep_their_printed_bound(case: dict[str, Any]) -> None:
    figures = metrics.summarize(ClassificationState.of(*binary_batch(case))).figures

    for area in ("auroc", "average_precision"):
        found, bound = figures[area], figures[f"{area}_error_bound"]
        assert found is not None
        assert bound is not None
        assert abs(found - case[area]) <= bound + 1e-9


def test_the_figures_of_four_classes_are_those_of_scikit_learn_and_torchmetrics() -> None:
    case = EVALUATION["multiclass"]
    labels, probabilities = np.array(case["y"]), softmax(case["logits"])
    state = ClassificationState.of(labels, probabilities.argmax(axis=1), probabilities)

    figures = metrics.summarize(state, scored=(labels, probabilities)).figures

    assert state.confusion.tolist() == case["confusion"]
    assert figures["accuracy"] == pytest.approx(case["accuracy"])
    assert figures["balanced_accuracy"] == pytest.approx(case["balanced_accuracy"])
    assert figures["f1"] == pytest.approx(case["macro_f1"])
    assert figures["auroc"] == pytest.approx(case["auroc_ovr_macro"])
    assert figures["log_loss"] == pytest.approx(case["log_loss"], abs=1e-9)
    assert figures["ece"] == pytest.approx(case["ece15_l1"], abs=1e-6)
    assert 0 < probabilities.max(axis=1).mean() == pytest.approx(np.mean(case["msp"]))


def test_the_brier_score_of_many_classes_sums_over_them() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    state = ClassificationState.of(np.array([0, 0]), np.array([0, 2]), probabilities)

    brier = metrics.summarize(state).figures["brier"]

    assert brier == pytest.approx(((0.09 + 0.04 + 0.01) + (0.81 + 0.01 + 0.64)) / 2)


@given(batches(), st.lists(st.integers(0, 60), max_size=4), st.randoms())
def test_states_of_batches_merge_to_that_of_the_whole_in_any_order(
    batch: Batch, cuts: list[int], random: Random
) -> None:
    whole = ClassificationState.of(*batch)
    parts = zip(*(np.split(part, sorted(cuts)) for part in batch), strict=True)
    states = [ClassificationState.of(*part) for part in parts]
    random.shuffle(states)

    merged = sum(states, start=ClassificationState.empty(batch[2].shape[1]))

    assert same(merged, whole)
    assert metrics.summarize(merged) == metrics.summarize(whole)


@given(batches(), st.randoms())
def test_the_order_of_rows_does_not_matter(batch: Batch, random: Random) -> None:
    labels, predictions, probabilities = batch
    order = list(range(len(labels)))
    random.shuffle(order)

    shuffled = ClassificationState.of(labels[order], predictions[order], probabilities[order])

    assert same(shuffled, ClassificationState.of(labels, predictions, probabilities))


@given(batches())
def test_every_figure_is_finite_or_undefined_with_a_reason(batch: Batch) -> None:
    summary = metrics.summarize(ClassificationState.of(*batch))

    for name, figure in summary.figures.items():
        assert (figure is None) == (name in summary.undefined)
        assert figure is None or np.isfinite(figure)


def test_what_has_no_denominator_is_undefined_and_says_why() -> None:
    state = ClassificationState.of(np.array([0, 0]), np.array([0, 0]), two_classes([0.1, 0.2]))

    summary = metrics.summarize(state)

    assert summary.figures["accuracy"] == 1.0
    assert summary.figures["precision"] is None
    assert summary.undefined["precision"] == "a class is never predicted"
    assert summary.undefined["recall"] == "a class has no rows"
    assert summary.undefined["f1"] == "a class has no rows and is never predicted"
    assert summary.undefined["auroc"] == "a class has no rows, or all of them"
    assert summary.undefined["mcc"] == "labels or predictions are all of one class"


def test_certainty_in_the_wrong_class_costs_much_but_not_everything() -> None:
    state = ClassificationState.of(np.array([1]), np.array([0]), two_classes([0.0]))

    assert metrics.summarize(state).figures["log_loss"] == pytest.approx(36.04, abs=0.01)


def test_full_confidence_falls_into_the_last_bin() -> None:
    state = ClassificationState.of(np.array([1, 0]), np.array([1, 0]), two_classes([1.0, 0.0]))

    assert state.calibration[metrics.ROWS].nonzero()[0].tolist() == [0, 14]
    assert metrics.calibration_error(state.calibration) == 0.0


def test_no_predictions_have_no_figures() -> None:
    with pytest.raises(ValueError, match="no predictions were counted"):
        metrics.summarize(ClassificationState.empty(2))
