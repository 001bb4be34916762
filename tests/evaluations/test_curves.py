"""AUROC and average precision: exact figures, and bounds that hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.divergence import Floats
from monitoring.evaluations import curves
from monitoring.evaluations.curves import Estimate, Flags

Sample = tuple[Flags, Floats]


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Both kinds of rows with scores that often tie."""
    rows = draw(st.integers(2, 80))
    scores = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    positive = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    drawn = draw(st.lists(scores, min_size=rows, max_size=rows))
    return np.array([True, False, *positive]), np.array([0.5, 0.5, *drawn])


def by_pairs(positive: Flags, scores: Floats) -> float:
    """AUROC by its definition: how often a positive row outranks a negative one."""
    gaps = scores[positive][:, np.newaxis] - scores[~positive]
    return float(np.mean((gaps > 0) + (gaps == 0) / 2))


def by_thresholds(positive: Flags, scores: Floats) -> float:
    """Average precision by its definition, one threshold a distinct score."""
    total, seen = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        chosen = scores >= threshold
        recall, precision = positive[chosen].sum() / positive.sum(), positive[chosen].mean()
        total, seen = total + (recall - seen) * precision, recall
    return float(total)


def value(estimate: Estimate | None) -> float:
    assert estimate is not None
    return estimate.value


@given(samples())
def test_exact_areas_follow_their_definitions(sample: Sample) -> None:
    assert value(curves.exact_auroc(*sample)) == pytest.approx(by_pairs(*sample), abs=1e-9)
    exact = value(curves.exact_average_precision(*sample))
    assert exact == pytest.approx(by_thresholds(*sample), abs=1e-9)


@given(samples(), st.sampled_from([1, 2, 5, 64, 2**17]))
def test_the_exact_area_is_within_the_bound_however_coarse_the_bins(
    sample: Sample, bins: int
) -> None:
    counts = curves.histogram(*sample, bins=bins)
    pairs = [
        (curves.auroc(counts), curves.exact_auroc(*sample)),
        (curves.average_precision(counts), curves.exact_average_precision(*sample)),
    ]

    for estimate, exact in pairs:
        assert estimate is not None
        assert abs(estimate.value - value(exact)) <= estimate.error_bound + 1e-9


def test_real_scores_lose_next_to_nothing_in_the_bins() -> None:
    rng = np.random.default_rng(1)
    positive = rng.random(70_000) < 0.4
    scores = 1 / (1 + np.exp(-rng.normal(positive * 1.5, 1.0)))

    counts = curves.histogram(positive, scores, bins=2**17)

    area, average = curves.auroc(counts), curves.average_precision(counts)
    assert area is not None
    assert average is not None
    assert area.error_bound < 1e-5
    assert average.error_bound < 2e-3
    assert abs(area.value - value(curves.exact_auroc(positive, scores))) < 1e-6
    assert abs(average.value - value(curves.exact_average_precision(positive, scores))) < 1e-5


def test_scores_of_none_and_one_are_in_the_first_and_last_bin() -> None:
    counts = curves.histogram(np.array([True, False]), np.array([1.0, 0.0]), bins=4)

    assert counts.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize("positive", [[True, True], [False, False]])
def test_without_both_kinds_of_rows_there_is_no_roc_curve(positive: list[bool]) -> None:
    assert curves.exact_auroc(np.array(positive), np.array([0.2, 0.7])) is None


def test_without_positives_there_is_no_average_precision() -> None:
    assert curves.exact_average_precision(np.array([False]), np.array([0.2])) is None
