"""Intervals: known answers, coverage, edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.evaluations import intervals
from monitoring.evaluations.intervals import Interval


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, int]:
    rows = draw(st.integers(1, 10_000))
    return draw(st.integers(0, rows)), rows


@given(shares())
def test_a_wilson_interval_holds_its_share_within_none_and_one(share: tuple[int, int]) -> None:
    found = intervals.wilson(*share)

    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert found.lower < found.upper


@given(shares())
def test_the_interval_of_a_share_mirrors_that_of_its_complement(share: tuple[int, int]) -> None:
    hits, rows = share

    one, other = intervals.wilson(hits, rows), intervals.wilson(rows - hits, rows)

    assert one.lower == pytest.approx(1 - other.upper, abs=1e-12)


def test_no_rows_have_no_share() -> None:
    with pytest.raises(ValueError, match="no rows"):
        intervals.wilson(0, 0)


@given(shares(), shares())
def test_a_ratio_lies_within_its_interval(group: tuple[int, int], best: tuple[int, int]) -> None:
    found = intervals.ratio(*group, *best)

    if best[0] == 0:
        assert found is None
    else:
        assert found is not None
        assert 0 <= found.lower <= found.value * (1 + 1e-9)
        assert found.value <= found.upper * (1 + 1e-9)


def test_a_group_without_a_hit_has_ratio_none_and_a_finite_upper_bound() -> None:
    few, many = intervals.ratio(0, 20, 50, 100), intervals.ratio(0, 500, 250, 500)

    assert few is not None
    assert many is not None
    assert (few.value, few.lower, few.method) == (0.0, 0.0, "Katz, 0.5 added (Walter)")
    assert few.upper == pytest.approx(0.7553, abs=1e-4)
    assert many.upper < 0.05


def test_katz_intervals_hold_the_true_ratio_about_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(8)
    held = 0

    for _ in range(1000):
        hits, best_hits = rng.binomial(400, 0.4), rng.binomial(600, 0.5)
        found = intervals.ratio(int(hits), 400, int(best_hits), 600)
        assert found is not None
        held += found.lower <= 0.8 <= found.upper

    assert 930 <= held <= 970


def test_a_gap_leaves_groups_without_rows_out() -> None:
    numerators, denominators = np.array([[5, 0, 2], [0, 0, 0]]), np.array([[10, 0, 10], [0, 0, 0]])

    assert intervals.gap(numerators, denominators) == pytest.approx([0.3, 0.0])


def test_a_resampled_table_keeps_its_total_shape_and_mean() -> None:
    counts = np.array([[10, 0], [30, 60]])

    tables = intervals.resample(counts, draws=2000, seed=1)

    assert tables.shape == (2000, 2, 2)
    assert set(tables.sum(axis=(1, 2)).tolist()) == {100}
    assert tables.mean(axis=0) == pytest.approx(counts, abs=0.5)
    assert np.array_equal(tables, intervals.resample(counts, draws=2000, seed=1))


def test_percentiles_are_the_middle_nineteen_twentieths() -> None:
    found = intervals.percentile(0.5, np.arange(1001) / 1000)

    assert found == Interval(0.5, 0.025, 0.975, "bootstrap")
