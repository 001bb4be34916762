"""The frozen profile: counts that merge, a stored form that lasts, nulls of blocks."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.divergence import drift_distance
from assay.ood import EnergyThreshold
from assay.profiles import Feature, Profile, block_null, named_columns

ROWS = 2000

Array = npt.NDArray[Any]


def reference_columns(seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {
        "age": rng.normal(40, 12, ROWS),
        "hours": np.where(rng.random(ROWS) < 0.3, 40.0, rng.uniform(0, 80, ROWS)),
        "carrier": rng.choice(["AA", "UA", "DL"], ROWS),
    }


@pytest.fixture(scope="module")
def profile() -> Profile:
    return Profile.freeze(
        reference_columns(), categorical=["carrier"], ood=EnergyThreshold(value=1.5)
    )


def cut(columns: dict[str, Array], ends: list[int]) -> list[dict[str, Array]]:
    starts = [0, *ends]
    return [
        {name: values[a:b] for name, values in columns.items()}
        for a, b in zip(starts, [*ends, ROWS], strict=True)
        if b > a
    ]


def test_the_reference_counted_again_gives_its_own_counts(profile: Profile) -> None:
    assert np.array_equal(profile.count(reference_columns()), profile.reference)
    assert profile.rows == ROWS


@given(st.lists(st.integers(1, ROWS - 1), max_size=6, unique=True).map(sorted), st.randoms())
def test_batches_merge_to_the_whole_in_any_order(ends: list[int], random: Random) -> None:
    profile = Profile.freeze(reference_columns(), categorical=["carrier"])
    batches = [profile.count(batch) for batch in cut(reference_columns(1), ends)]
    random.shuffle(batches)

    merged = sum(batches, start=profile.empty())

    assert np.array_equal(merged, profile.count(reference_columns(1)))
    assert merged.dtype == np.int64


def test_the_order_of_rows_does_not_matter(profile: Profile) -> None:
    order = np.random.default_rng(3).permutation(ROWS)
    shuffled = {name: values[order] for name, values in reference_columns().items()}

    again = Profile.freeze(shuffled, categorical=["carrier"], ood=EnergyThreshold(value=1.5))

    assert again.to_json() == profile.to_json()


def test_the_stored_form_is_versioned_and_exact(profile: Profile) -> None:
    stored = json.loads(json.dumps(profile.to_json()))

    again = Profile.from_json(stored)

    assert stored["format"] == "assay.profile/1"
    assert again.to_json() == stored
    assert np.array_equal(again.count(reference_columns(1)), profile.count(reference_columns(1)))


def test_another_version_of_the_format_is_refused(profile: Profile) -> None:
    with pytest.raises(ValueError, match="this reads assay.profile/1, not 'assay.profile/9'"):
        Profile.from_json(profile.to_json() | {"format": "assay.profile/9"})


@pytest.mark.parametrize("counts", [[1, 2], [0, 0, 0], [1, -1, 2], [[1, 2, 3]]])
def test_counts_that_do_not_fit_their_bins_are_refused(counts: list[Any]) -> None:
    stored = {"name": "age", "kind": "numeric", "edges": [1.0], "counts": counts, "null": None}

    with pytest.raises(ValueError, match="the counts of 'age' do not fit"):
        Feature.from_json(stored)


def test_a_batch_without_a_feature_is_refused_by_name(profile: Profile) -> None:
    with pytest.raises(ValueError, match="lacks the features hours, carrier"):
        profile.count({"age": [30.0]})


def test_columns_of_different_length_are_refused(profile: Profile) -> None:
    with pytest.raises(ValueError, match="differ in length"):
        profile.count({"age": [30.0], "hours": [1.0, 2.0], "carrier": ["AA"]})


def test_an_empty_reference_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        Profile.freeze({"age": []})


def test_counts_of_another_profile_are_refused(profile: Profile) -> None:
    with pytest.raises(ValueError, match="belong to another profile"):
        profile.split(np.zeros(3, dtype=np.int64))


def test_a_matrix_becomes_columns_by_name() -> None:
    columns = named_columns(np.array([[1.0, 2.0], [3.0, 4.0]]), ["a", "b"])

    assert {name: values.tolist() for name, values in columns.items()} == {
        "a": [1.0, 3.0],
        "b": [2.0, 4.0],
    }


def test_a_feature_that_follows_the_season_is_unmonitored_by_name() -> None:
    day = np.arange(20_000) / 20_000
    rng = np.random.default_rng(4)
    columns = {"temperature": 25 * day + rng.normal(size=20_000), "fare": rng.normal(size=20_000)}

    profile = Profile.freeze(columns, block_rows=2000)

    temperature, fare = profile.features
    assert temperature.null == pytest.approx(0.9, abs=0.1)
    assert fare.null == pytest.approx(0.0, abs=0.05)
    assert profile.unmonitored() == ["temperature"]
    assert Profile.from_json(profile.to_json()).unmonitored() == ["temperature"]


def test_without_a_block_length_no_null_is_claimed(profile: Profile) -> None:
    assert [feature.null for feature in profile.features] == [None, None, None]
    assert profile.unmonitored() == []


def test_the_null_is_the_percentile_over_every_moving_block() -> None:
    bins = np.random.default_rng(6).integers(0, 4, 3000)
    bins[:400] = 0
    whole = np.bincount(bins, minlength=4)
    scores = [
        float(drift_distance(whole, np.bincount(bins[start : start + 400], minlength=4)))
        for start in range(0, 3000 - 400 + 1, 50)
    ]

    assert block_null(bins, 4, 400) == pytest.approx(np.quantile(scores, 0.99), abs=1e-12)


@pytest.mark.parametrize(("rows", "block_rows"), [(3000, 199), (799, 400)])
def test_too_few_rows_have_no_null(rows: int, block_rows: int) -> None:
    assert block_null(np.zeros(rows, dtype=np.int64), 3, block_rows) is None
