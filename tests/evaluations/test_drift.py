"""The drift of a window against the frozen reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import drift
from assay.divergence import Floats
from assay.drift import DriftReport, DriftWindow, FeatureDrift
from assay.profiles import Feature, Profile
from tests.evaluations.vectors import EVALUATION

ROWS = 5000
APRIL = datetime(2013, 4, 1, tzinfo=UTC)


def columns(seed: int, shift: float = 0.0, rows: int = ROWS) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    return {"steady": rng.normal(size=rows), "temperature": rng.normal(shift, 1.0, size=rows)}


def worst(report: DriftReport) -> FeatureDrift:
    assert report.worst is not None
    return report.worst


def score(report: DriftReport) -> float:
    assert report.input_drift_score is not None
    return report.input_drift_score


@pytest.fixture(scope="module")
def profile() -> Profile:
    return Profile.freeze(columns(0))


def test_inputs_like_the_reference_hardly_score(profile: Profile) -> None:
    report = drift.compare(profile, profile.count(columns(1)))

    assert score(report) < 0.03
    assert report.rows == ROWS


def test_the_score_is_that_of_the_worst_feature(profile: Profile) -> None:
    report = drift.compare(profile, profile.count(columns(1, shift=1.5)))

    assert worst(report).name == "temperature"
    assert score(report) == report.features[0].distance > 0.5
    assert report.features[1].name == "steady"
    assert report.features[1].distance < 0.03


def test_one_outlier_does_not_hide_a_shift(profile: Profile) -> None:
    shifted = columns(1, shift=1.0)
    shifted["temperature"][0] = 1e9

    report = drift.compare(profile, profile.count(shifted))

    assert score(report) > 0.3
    assert report.features[0].psi > 0.5


def test_missing_values_drift_though_the_rest_is_the_same(profile: Profile) -> None:
    half = columns(1)
    half["temperature"][::2] = np.nan

    report = drift.compare(profile, profile.count(half))

    assert worst(report).missing_share == 0.5
    assert worst(report).distance > 0.4
    assert worst(report).ks == pytest.approx(0, abs=0.05)


def test_under_two_hundred_rows_there_is_no_score(profile: Profile) -> None:
    report = drift.compare(profile, profile.count(columns(1, shift=3.0, rows=199)))

    assert report.input_drift_score is None
    assert report.to_json()["rms"] is None
    assert drift.compare(profile, profile.count(columns(1, rows=200))).input_drift_score is not None


def test_a_feature_whose_null_is_over_the_limit_gives_no_score() -> None:
    day = np.arange(ROWS) / ROWS
    seasonal = {"steady": columns(0)["steady"], "temperature": 20 * day}
    profile = Profile.freeze(seasonal, block_rows=1000)

    report = drift.compare(profile, profile.count(columns(1, shift=30.0)))

    assert report.features[0].name == "temperature"
    assert worst(report).name == "steady"
    assert report.to_json()["unmonitored"] == ["temperature"]


def test_a_looser_limit_monitors_more() -> None:
    day = np.arange(ROWS) / ROWS
    profile = Profile.freeze({"temperature": 20 * day}, block_rows=1000)
    counts = profile.count({"temperature": 20 * day})

    assert drift.compare(profile, counts).input_drift_score is None
    assert drift.compare(profile, counts, limit=1.0).input_drift_score == 0.0


def test_the_stored_report_carries_bounds_and_summary(profile: Profile) -> None:
    counts = profile.count(columns(1, shift=1.0))

    report = drift.compare(profile, counts, draws=drift.DRAWS, seed=5).to_json()

    assert report["feature"] == "temperature"
    assert report["lower"] < report["input_drift_score"] < report["upper"]
    distances = [feature["distance"] for feature in report["worst"]]
    assert report["rms"] == pytest.approx(np.sqrt(np.mean(np.square(distances))))
    assert report["share_over_0_1"] == 0.5
    again = drift.compare(profile, counts, draws=drift.DRAWS, seed=5)
    assert again.to_json() == report


def test_a_stored_report_lists_the_ten_worst(profile: Profile) -> None:
    many = {f"f{i:02}": values for i in range(12) for values in [columns(i)["steady"]]}
    profile = Profile.freeze(many)
    many["f07"] = many["f07"] + 1

    report = drift.compare(profile, profile.count(many)).to_json()

    assert len(report["worst"]) == 10
    assert report["worst"][0]["name"] == "f07"


def test_categories_score_as_scipy_does_and_have_no_order() -> None:
    case = EVALUATION["categorical"]
    reference = [value for value, count in case["ref_counts"].items() for _ in range(count * 10)]
    current = [value for value, count in case["cur_counts"].items() for _ in range(count * 10)]
    profile = Profile.freeze({"carrier": reference}, categorical=["carrier"])

    feature = worst(drift.compare(profile, profile.count({"carrier": current})))

    excess = 3 * (1 / 1000 + 1 / 1000) / (8 * np.log(2))
    assert feature.distance == pytest.approx(np.sqrt(case["js_distance"] ** 2 - excess), abs=1e-9)
    assert feature.psi == pytest.approx(case["psi"], abs=1e-9)
    assert feature.ks is None


def test_a_feature_that_is_missing_throughout_has_no_ks(profile: Profile) -> None:
    gone = columns(1) | {"temperature": np.full(ROWS, np.nan)}

    report = drift.compare(profile, profile.count(gone))

    assert worst(report).name == "temperature"
    assert worst(report).ks is None
    assert worst(report).missing_share == 1.0


def test_an_empty_window_is_refused(profile: Profile) -> None:
    with pytest.raises(ValueError, match="empty histogram"):
        DriftWindow(profile).report()


def test_a_window_forgets_what_is_older_than_its_length(profile: Profile) -> None:
    window = DriftWindow(profile, length=timedelta(days=28))
    for day in range(60):
        window.add(
            APRIL + timedelta(days=day), columns(day, shift=0.0 if day < 32 else 1.5, rows=100)
        )

    report = window.report()

    assert report.rows == 2800
    assert score(report) > 0.5


def test_a_batch_older_than_the_window_is_dropped(profile: Profile) -> None:
    window = DriftWindow(profile, length=timedelta(days=1))
    window.add(APRIL, columns(1, rows=300))

    window.add(APRIL - timedelta(days=2), columns(2, rows=300))

    assert window.report().rows == 300


@given(st.permutations(range(8)))
def test_a_window_is_the_same_in_whatever_order_batches_arrive(order: list[int]) -> None:
    profile = Profile.freeze(columns(0, rows=500))
    in_order, shuffled = DriftWindow(profile), DriftWindow(profile)
    for day in range(8):
        in_order.add(APRIL + timedelta(days=5 * day), columns(day, rows=20))

    for day in order:
        shuffled.add(APRIL + timedelta(days=5 * day), columns(day, rows=20))

    assert np.array_equal(shuffled.counts, in_order.counts)


def test_a_window_holds_a_hundred_vectors_at_most(profile: Profile) -> None:
    window = DriftWindow(profile, length=timedelta(hours=1))

    for second in range(0, 7200, 10):
        window.add(APRIL + timedelta(seconds=second), columns(1, rows=1))

    assert len(window._steps) == drift.STEPS
    assert window.report().rows == 360


def test_every_feature_is_reported_by_its_own_counts() -> None:
    feature = Profile.freeze({"a": [1.0] * 300, "b": [1.0, 2.0, 3.0] * 100}).features[1]

    assert isinstance(feature, Feature)
    assert feature.counts.sum() == 300
