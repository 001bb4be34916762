"""Frozen bins: where values belong, and that nothing moves an edge later."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.bins import CategoricalBins, NumericBins, mass_points, read_bins

NUMBERS = st.lists(
    st.one_of(st.floats(width=32), st.sampled_from([0.0, 1.0, 1.0, 2.0])), min_size=1, max_size=200
)


def test_a_deciles_bin_holds_a_tenth_and_a_tail_bin_a_thousandth() -> None:
    reference = np.random.default_rng(1).normal(size=100_000)

    bins = NumericBins.freeze(reference)

    counts = np.bincount(bins.assign(reference), minlength=bins.size)
    assert len(bins.edges) == 11
    assert counts.tolist() == [100, 9900, *[10_000] * 8, 9900, 100, 0]


def test_a_value_on_an_edge_belongs_to_the_lower_bin() -> None:
    bins = NumericBins((1.0, 2.0))

    assert bins.assign([0.9, 1.0, 1.1, 2.0, 2.1]).tolist() == [0, 0, 1, 1, 2]


def test_missing_values_and_infinities_have_their_places() -> None:
    bins = NumericBins((1.0, 2.0))

    assert bins.assign([None, np.nan, -np.inf, np.inf]).tolist() == [3, 3, 0, 2]


def test_a_mass_point_gets_a_bin_of_its_own() -> None:
    rng = np.random.default_rng(2)
    reference = np.concatenate([np.zeros(3000), rng.normal(size=7000)])
    bins = NumericBins.freeze(reference)

    zero, under, over = bins.assign([0.0, -1e-9, 1e-9])

    assert len({int(zero), int(under), int(over)}) == 3
    assert np.bincount(bins.assign(reference))[zero] == 3000


def test_a_constant_reference_tells_less_equal_and_more_apart() -> None:
    bins = NumericBins.freeze([3.0] * 40)

    assert bins.assign([2.9, 3.0, 3.1]).tolist() == [0, 1, 2]


def test_a_flag_that_is_rarely_set_still_has_a_bin() -> None:
    reference = np.array([0.0] * 950 + [1.0] * 50)
    bins = NumericBins.freeze(reference)

    zero, one = bins.assign([0.0, 1.0])

    assert zero != one


def test_a_reference_without_a_value_has_one_bin_beside_the_missing_one() -> None:
    bins = NumericBins.freeze([None, None])

    assert bins.edges == ()
    assert bins.assign([1.0, None]).tolist() == [0, 1]


def test_the_least_share_of_a_mass_point_is_a_tenth() -> None:
    values = np.array([1.0] * 10 + [2.0] * 9 + list(np.arange(10, 91)), dtype=np.float64)

    assert mass_points(values).tolist() == [1.0]


@given(NUMBERS, NUMBERS)
def test_every_number_has_exactly_one_bin_between_its_edges(
    reference: list[float], values: list[Any]
) -> None:
    bins = NumericBins.freeze(reference)
    edges = [-np.inf, *bins.edges, np.inf]

    for value, at in zip(values, bins.assign(values), strict=True):
        if np.isnan(value):
            assert at == bins.size - 1
        else:
            assert at == 0 or edges[at] < value
            assert value <= edges[at + 1]


@given(NUMBERS)
def test_edges_are_finite_distinct_and_survive_json_exactly(reference: list[float]) -> None:
    bins = NumericBins.freeze(reference)

    assert list(bins.edges) == sorted(set(bins.edges))
    assert read_bins(json.loads(json.dumps(bins.to_json()))) == bins


@given(NUMBERS, st.randoms(use_true_random=False))
def test_the_order_of_the_reference_does_not_matter_to_its_edges(
    reference: list[float], random: Random
) -> None:
    shuffled = random.sample(reference, len(reference))

    assert NumericBins.freeze(shuffled) == NumericBins.freeze(reference)


def test_categories_are_ranked_and_the_rest_told_from_the_unseen() -> None:
    reference = [f"common {i}" for i in range(50) for _ in range(3)] + ["rare", "scarce", None]
    bins = CategoricalBins.freeze(reference)

    first, rare, scarce, unseen, missing = bins.assign(["common 0", "rare", "scarce", "new", None])

    assert len(bins.top) == 50
    assert bins.size == 53
    assert (first, rare, scarce, unseen, missing) == (0, 50, 50, 51, 52)


def test_the_most_frequent_category_comes_first_and_ties_by_value() -> None:
    assert CategoricalBins.freeze(["b", "a", "c", "c"]).top == ("c", "a", "b")
    assert CategoricalBins.freeze([2.0, 1.0, 3.0, 3.0]).top == (3.0, 1.0, 2.0)


def test_number_codes_are_categories_too_and_nan_is_missing() -> None:
    bins = CategoricalBins.freeze([1, 1, 2])

    assert bins.assign([1.0, 2.0, 9.0, np.nan]).tolist() == [0, 1, 3, 4]


def test_a_category_out_of_foreign_json_is_still_a_number() -> None:
    stored = {"kind": "categorical", "top": [1, 2], "rest": []}

    assert read_bins(stored) == CategoricalBins.freeze([1.0, 1.0, 2.0])


def test_strings_are_refused_where_the_reference_held_numbers() -> None:
    with pytest.raises(ValueError, match="all numbers or all strings"):
        CategoricalBins.freeze([1.0, 2.0]).assign(["one"])


def test_a_batch_of_missing_categories_is_missing_whatever_its_type() -> None:
    assert CategoricalBins.freeze(["a", "b"]).assign([np.nan]).tolist() == [4]


def test_a_category_of_a_reference_without_values_is_unseen() -> None:
    assert CategoricalBins.freeze([None]).assign(["a", None]).tolist() == [1, 2]


@given(st.lists(st.one_of(st.none(), st.text("abcdefgh", max_size=2)), min_size=1))
def test_every_category_of_the_reference_is_seen_and_survives_json(values: list[Any]) -> None:
    bins = CategoricalBins.freeze(np.array(values, dtype=object))
    unseen = len(bins.top) + 1

    assert unseen not in bins.assign(np.array(values, dtype=object))
    assert read_bins(json.loads(json.dumps(bins.to_json()))) == bins


def test_bins_of_an_unknown_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="'polar' are not known"):
        read_bins({"kind": "polar"})
