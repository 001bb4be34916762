"""Distances between histograms: known answers and what must hold for any counts."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import divergence
from assay.bins import quantile_edges
from assay.divergence import Counts, Floats
from tests.evaluations.vectors import EVALUATION

HISTOGRAMS = EVALUATION["histograms"]
CONTINUOUS = EVALUATION["continuous"]

Pair = tuple[Counts, Counts]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Two histograms over the same bins, neither empty."""
    size = draw(st.integers(2, 12))
    counts = st.lists(st.integers(0, 5000), min_size=size, max_size=size).filter(any)
    return np.array(draw(counts)), np.array(draw(counts))


def counted(values: npt.ArrayLike, edges: Floats) -> Counts:
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)


@pytest.mark.parametrize("case", HISTOGRAMS, ids=lambda case: case["name"])
def test_the_distances_of_histograms_are_those_of_scipy(case: dict[str, Any]) -> None:
    reference, current = np.array(case["ref_counts"]), np.array(case["cur_counts"])

    assert divergence.js_distance(reference, current) == pytest.approx(
        case["js_distance"], abs=1e-9
    )
    assert divergence.psi(reference, current) == pytest.approx(case["psi"], abs=1e-9)
    assert divergence.ks(reference, current) == pytest.approx(case["ks_on_bins"], abs=1e-9)


def test_the_distance_of_categories_is_that_of_scipy() -> None:
    case = EVALUATION["categorical"]
    reference, current = (
        np.array([case[counts].get(value, 0) for value in case["order"]])
        for counts in ("ref_counts", "cur_counts")
    )

    assert divergence.js_distance(reference, current) == pytest.approx(
        case["js_distance"], abs=1e-9
    )
    assert divergence.psi(reference, current) == pytest.approx(case["psi"], abs=1e-9)


@pytest.mark.parametrize("case", CONTINUOUS, ids=lambda case: case["name"])
def test_decile_edges_and_what_falls_between_them_are_those_of_numpy(case: dict[str, Any]) -> None:
    edges = quantile_edges(case["ref"])

    assert edges == pytest.approx(case["decile_edges"], abs=1e-12)
    reference, current = counted(case["ref"], edges), counted(case["cur"], edges)
    assert reference.tolist() == case["ref_bins"]
    assert current.tolist() == case["cur_bins"]
    assert divergence.js_distance(reference, current) == pytest.approx(case["js_deciles"], abs=1e-9)
    assert divergence.psi(reference, current) == pytest.approx(case["psi_deciles"], abs=1e-9)


@pytest.mark.parametrize("case", CONTINUOUS, ids=lambda case: case["name"])
def test_ks_over_bins_never_exceeds_that_of_the_raw_values(case: dict[str, Any]) -> None:
    edges = quantile_edges(case["ref"])

    over_bins = divergence.ks(counted(case["ref"], edges), counted(case["cur"], edges))

    assert 0 <= over_bins <= case["ks"] + 1e-12


def test_missing_values_drift_as_a_bin_of_their_own() -> None:
    case = EVALUATION["missing"]
    missing, current = (
        np.array([sum(v is not None for v in case[rows]), sum(v is None for v in case[rows])])
        for rows in ("ref", "cur")
    )

    assert divergence.js_distance(missing, current) == pytest.approx(case["missing_js"], abs=1e-9)
    assert divergence.psi(missing, current) == pytest.approx(case["missing_psi"], abs=1e-9)


@given(pairs())
def test_a_distance_is_symmetric_and_between_none_and_one(pair: Pair) -> None:
    reference, current = pair

    distance = float(divergence.js_distance(reference, current))

    assert 0 <= distance <= 1 + 1e-12
    assert distance == pytest.approx(float(divergence.js_distance(current, reference)), abs=1e-12)
    assert float(divergence.drift_distance(reference, current)) <= distance


@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_the_bins_does_not_matter_to_a_distance(pair: Pair, random: Random) -> None:
    reference, current = pair
    order = list(range(reference.size))
    random.shuffle(order)

    shuffled = divergence.drift_distance(reference[order], current[order])

    assert shuffled == pytest.approx(divergence.drift_distance(reference, current), abs=1e-7)


def test_the_correction_is_the_documented_one() -> None:
    reference, current = np.array([100, 100, 0, 0]), np.array([150, 40, 10, 0])
    excess = (3 - 1) * (1 / 200 + 1 / 200) / (8 * np.log(2))
    squared = float(divergence.js_distance(reference, current)) ** 2

    corrected = float(divergence.drift_distance(reference, current))

    assert corrected == pytest.approx(np.sqrt(squared - excess), abs=1e-12)


def test_the_correction_takes_away_what_sampling_adds() -> None:
    rng = np.random.default_rng(5)
    level = np.full(10, 0.1)
    reference, current = rng.multinomial(400, level, 4000), rng.multinomial(200, level, 4000)

    raw = divergence.js_distance(reference, current)
    squared = raw**2 - (10 - 1) * (1 / 400 + 1 / 200) / (8 * np.log(2))

    assert np.mean(raw**2) > 0.01
    assert abs(np.mean(squared)) < 0.0006


def test_three_tenths_is_about_three_quarters_of_a_standard_deviation() -> None:
    rng = np.random.default_rng(7)
    reference, shifted = rng.normal(size=200_000), rng.normal(0.75, size=200_000)
    edges = quantile_edges(reference)

    distance = divergence.drift_distance(counted(reference, edges), counted(shifted, edges))

    assert distance == pytest.approx(0.3, abs=0.02)


def test_bounds_hold_the_distance_and_repeat_with_their_seed() -> None:
    reference, current = np.array([500, 300, 200]), np.array([150, 200, 250])
    distance = float(divergence.drift_distance(reference, current))

    bounds = divergence.drift_bounds(reference, current, draws=400, seed=3)

    assert bounds[0] < distance < bounds[1]
    assert bounds == divergence.drift_bounds(reference, current, draws=400, seed=3)
    assert bounds != divergence.drift_bounds(reference, current, draws=400, seed=4)


def test_bounds_hold_the_true_distance_about_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(11)
    p, q = np.array([0.25, 0.25, 0.25, 0.25]), np.array([0.4, 0.3, 0.2, 0.1])
    truth = float(divergence.js_distance((p * 1e12).astype(int), (q * 1e12).astype(int)))

    held = 0
    for seed in range(200):
        sampled = rng.multinomial(800, p), rng.multinomial(500, q)
        lower, upper = divergence.drift_bounds(*sampled, draws=200, seed=seed)
        held += lower <= truth <= upper

    assert 180 <= held <= 199


@pytest.mark.parametrize(("reference", "current"), [([0, 0], [1, 2]), ([1, 2], [0, 0])])
def test_an_empty_histogram_has_no_distance(reference: list[int], current: list[int]) -> None:
    with pytest.raises(ValueError, match="an empty histogram has no shares"):
        divergence.js_distance(np.array(reference), np.array(current))
