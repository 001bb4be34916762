"""Latency histograms: quantiles near the exact ones, and merging."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.evaluations.latency import LatencyHistogram
from tests.evaluations.vectors import EVALUATION

CASE = EVALUATION["latency"]
TIMES = st.lists(st.floats(0.001, 1e5), min_size=1, max_size=100)


@pytest.mark.parametrize(("q", "known"), [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")])
def test_a_quantile_is_within_half_a_percent_of_numpys(q: float, known: str) -> None:
    histogram = LatencyHistogram.of(CASE["ms"])

    assert histogram.quantile(q) == pytest.approx(CASE[f"{known}_linear"], rel=0.005)


@given(TIMES, st.floats(0, 1))
def test_a_quantile_is_within_half_a_percent_of_a_call(times: list[float], q: float) -> None:
    nearest = sorted(times)[int(np.rint(q * (len(times) - 1)))]

    found = LatencyHistogram.of(times).quantile(q)

    assert found == pytest.approx(nearest, rel=0.0051)


@given(TIMES, st.integers(0, 100), st.randoms())
def test_histograms_merge_to_that_of_all_calls(
    times: list[float], cut: int, random: Random
) -> None:
    parts = [LatencyHistogram.of(times[:cut]), LatencyHistogram.of(times[cut:])]
    random.shuffle(parts)

    merged = sum(parts, start=LatencyHistogram.empty())

    assert np.array_equal(merged.counts, LatencyHistogram.of(times).counts)
    assert merged.calls == len(times)


def test_the_stored_form_names_its_units() -> None:
    stored = LatencyHistogram.of([1.0] * 99 + [100.0]).to_json()

    assert stored["calls"] == 100
    assert stored["p50_ms"] == pytest.approx(1.0, rel=0.005)
    assert stored["p99_ms"] == pytest.approx(1.0, rel=0.005)
    assert set(stored) == {"calls", "p50_ms", "p95_ms", "p99_ms"}


def test_times_beyond_either_end_are_counted_at_the_end() -> None:
    assert LatencyHistogram.of([0.0, 1e12]).calls == 2


def test_no_calls_have_no_latency() -> None:
    with pytest.raises(ValueError, match="no latency"):
        LatencyHistogram.empty().quantile(0.5)
