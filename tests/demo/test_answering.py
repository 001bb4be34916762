from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from assay.ood import EnergyThreshold
from assay.profiles import Profile
from demo import networks
from demo.answering import Model, Unanswerable, Version

NOW = datetime(2026, 1, 1, tzinfo=UTC)
APRIL = datetime(2013, 4, 1, tzinfo=UTC)
LENIENT = EnergyThreshold(-1e9)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2000, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def network(rows: np.ndarray) -> networks.Network:
    return networks.fit(rows, (rows[:, 0] > 0).astype(np.int64), seed=0)


@pytest.fixture
def model(network: networks.Network, tmp_path: Path) -> Model:
    path = tmp_path / "model.safetensors"
    path.write_bytes(network.artifact())
    return Model.load(path)


def version(
    model: Model,
    rows: np.ndarray,
    *,
    seasonal: bool = True,
    inputs: np.ndarray | None = None,
    ood: EnergyThreshold | None = LENIENT,
) -> Version:
    profile = Profile.freeze({"a": rows[:, 0], "b": rows[:, 1]}, ood=ood)
    return Version("v1", model, profile, rows if inputs is None else inputs, seasonal=seasonal)


def serve(served: Version, count: int) -> None:
    for at in range(count):
        served.answer(at)


def test_a_loaded_model_answers_as_the_trained_one(
    model: Model, network: networks.Network, rows: np.ndarray
) -> None:
    logits = np.stack([model.logits(row) for row in rows[:50]]).astype(np.float64)

    odds = np.exp(logits[:, 1] - logits[:, 0])
    assert odds / (1 + odds) == pytest.approx(network.probabilities(rows[:50])[:, 1], abs=1e-5)


def test_a_missing_input_is_answered(model: Model) -> None:
    assert np.isfinite(model.logits(np.array([np.nan, 1.0], dtype=np.float32))).all()


def test_an_answer_that_is_not_finite_is_none(model: Model) -> None:
    with pytest.raises(Unanswerable):
        model.logits(np.array([np.inf, -np.inf], dtype=np.float32))


def test_another_architecture_is_refused(network: networks.Network, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(network.artifact().replace(b"relu", b"gelu"))

    with pytest.raises(ValueError, match="gelu"):
        Model.load(path)


def test_a_report_counts_what_was_asked_and_what_failed(model: Model, rows: np.ndarray) -> None:
    broken = rows.copy()
    broken[3] = [np.inf, -np.inf]
    served = version(model, rows, inputs=broken)
    serve(served, 10)

    report = served.report(now=NOW, data_time=APRIL, seconds=2.0, source="here")

    assert report is not None
    assert (report.num_requests, report.error_rate) == (10, 0.1)
    assert (report.requests_per_second, report.source, report.device) == (5.0, "here", "cpu")
    assert (report.model_id, report.timestamp) == ("v1", NOW)


def test_latencies_are_measured_and_in_order(model: Model, rows: np.ndarray) -> None:
    served = version(model, rows)
    serve(served, 100)

    report = served.report(now=NOW, data_time=APRIL, seconds=1.0, source="")

    assert report is not None
    assert report.latency_p50_ms
    assert report.latency_p95_ms
    assert report.latency_p99_ms
    assert 0 < report.latency_p50_ms <= report.latency_p95_ms <= report.latency_p99_ms


def test_a_report_starts_the_next_interval_from_nothing(model: Model, rows: np.ndarray) -> None:
    served = version(model, rows)
    serve(served, 10)
    served.report(now=NOW, data_time=APRIL, seconds=1.0, source="")

    assert served.report(now=NOW, data_time=APRIL, seconds=1.0, source="") is None
    assert served.answered == 10


def test_where_nothing_could_be_answered_only_the_errors_are_told(
    model: Model, rows: np.ndarray
) -> None:
    served = version(model, rows, inputs=np.full((5, 2), np.inf, dtype=np.float32))
    serve(served, 5)

    report = served.report(now=NOW, data_time=APRIL, seconds=1.0, source="")

    assert report is not None
    assert report.error_rate == 1.0
    assert (report.latency_p95_ms, report.ood_rate, report.input_drift_score) == (None, None, None)
    assert served.last_answered is None


def test_the_ood_rate_is_that_of_the_answers(model: Model, rows: np.ndarray) -> None:
    strict = version(model, rows, ood=EnergyThreshold(1e9))
    lenient = version(model, rows)
    serve(strict, 10)
    serve(lenient, 10)

    reports = [
        each.report(now=NOW, data_time=APRIL, seconds=1.0, source="") for each in (strict, lenient)
    ]

    assert [report and report.ood_rate for report in reports] == [1.0, 0.0]


def test_without_a_threshold_there_is_no_ood_rate(model: Model, rows: np.ndarray) -> None:
    served = version(model, rows, ood=None)
    serve(served, 10)

    report = served.report(now=NOW, data_time=APRIL, seconds=1.0, source="")

    assert report is not None
    assert report.ood_rate is None


def test_seasonal_drift_waits_for_a_full_window(model: Model, rows: np.ndarray) -> None:
    served = version(model, rows, inputs=rows + 5)
    scores = []
    for day in (0, 27, 28):
        serve(served, 300)
        report = served.report(
            now=NOW, data_time=APRIL + timedelta(days=day), seconds=1.0, source=""
        )
        scores.append(report and report.input_drift_score)

    assert scores == [None, None, pytest.approx(1.0, abs=0.1)]


def test_drift_without_seasons_is_told_at_once(model: Model, rows: np.ndarray) -> None:
    served = version(model, rows, seasonal=False)
    serve(served, 2000)

    report = served.report(now=NOW, data_time=APRIL, seconds=1.0, source="")

    assert report is not None
    assert report.input_drift_score == pytest.approx(0.0, abs=1e-6)


def test_too_few_rows_have_no_drift(model: Model, rows: np.ndarray) -> None:
    served = version(model, rows, seasonal=False)
    serve(served, 199)

    report = served.report(now=NOW, data_time=APRIL, seconds=1.0, source="")

    assert report is not None
    assert report.input_drift_score is None
