"""Energy scores, their threshold and the rate of a batch."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import ood
from assay.ood import EnergyThreshold
from tests.evaluations.vectors import EVALUATION

CASE = EVALUATION["ood"]
SCORES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300)


def test_energy_is_that_of_torch() -> None:
    case = EVALUATION["multiclass"]

    assert ood.energy(case["logits"]) == pytest.approx(case["energy_T1"], abs=1e-9)


def test_energy_of_great_logits_does_not_overflow() -> None:
    assert ood.energy([[1e4, 1e4]]) == pytest.approx([1e4 + np.log(2)])


def test_temperature_scales_as_documented() -> None:
    logits = np.array([[1.0, 2.0, 3.0]])

    assert ood.energy(logits, temperature=2.0) == pytest.approx(2 * ood.energy(logits / 2))


def test_the_threshold_keeps_nineteen_of_twenty_in_distribution_scores() -> None:
    threshold = EnergyThreshold.freeze(CASE["id_scores"])

    assert threshold.value == pytest.approx(CASE["threshold_tpr95"], abs=1e-9)
    kept = 1 - ood.share_under(CASE["id_scores"], threshold.value)
    assert kept == pytest.approx(CASE["id_kept"], abs=1e-9)


def test_the_rate_of_a_mixed_batch_is_the_known_one() -> None:
    threshold = EnergyThreshold.freeze(CASE["id_scores"])
    mixed = CASE["id_scores"] + CASE["ood_scores"]

    rate = ood.share_under(mixed, threshold.value)

    assert rate == pytest.approx(CASE["ood_rate_of_mix"], abs=1e-9)
    missed = 1 - ood.share_under(CASE["ood_scores"], threshold.value)
    assert missed == pytest.approx(CASE["fpr95"], abs=1e-9)


@given(SCORES)
def test_in_distribution_scores_are_never_out_of_it_more_often_than_the_quantile(
    scores: list[float],
) -> None:
    threshold = EnergyThreshold.freeze(scores)

    assert ood.share_under(scores, threshold.value) <= 0.05


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_scores_does_not_matter(scores: list[float], random: Random) -> None:
    shuffled = random.sample(scores, len(scores))

    assert EnergyThreshold.freeze(shuffled) == EnergyThreshold.freeze(scores)


def test_a_batch_of_logits_is_rated_with_the_stored_temperature() -> None:
    logits = np.array([[0.0, 0.0], [4.0, 4.0]])
    threshold = EnergyThreshold(value=3.0, temperature=2.0)

    assert ood.energy(logits, temperature=2.0).round(2).tolist() == [1.39, 5.39]
    assert threshold.rate(logits) == 0.5


def test_a_threshold_survives_its_json() -> None:
    threshold = EnergyThreshold(value=-1.25, temperature=2.0, quantile=0.1)

    assert EnergyThreshold.from_json(threshold.to_json()) == threshold


def test_another_score_is_refused() -> None:
    stored = EnergyThreshold(0.0).to_json() | {"score": "knn"}

    with pytest.raises(ValueError, match="'knn' is not known"):
        EnergyThreshold.from_json(stored)


@pytest.mark.parametrize("scores", [[], [1.0, float("nan")], [float("inf")]])
def test_a_threshold_needs_finite_scores(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="finite in-distribution scores"):
        EnergyThreshold.freeze(scores)


def test_an_empty_batch_has_no_rate() -> None:
    with pytest.raises(ValueError, match="an empty batch"):
        ood.share_under([], 0.0)
