"""The monitor of a serving process: snapshots of what really happened."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from assay.monitor import Monitor
from assay.ood import EnergyThreshold
from assay.profiles import Profile

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ROWS = np.random.default_rng(0).normal(size=(4000, 2))
COLOURS = np.array(["red", "green"])[np.arange(4000) % 2]
MIXED = Profile.freeze(
    {"size": ROWS[:, 0], "colour": COLOURS}, categorical=["colour"], ood=EnergyThreshold(0.0)
)


class Ticks:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_snapshot_is_what_happened_since_the_last() -> None:
    ticks = Ticks()
    monitor = Monitor("m_v1", source="replica-1", device="cpu", ticks=ticks)
    for latency in range(1, 100):
        monitor.answered(latency)
    monitor.failed()
    ticks.at += 20

    found = monitor.snapshot(now=NOW)

    assert found is not None
    assert (found.model_id, found.timestamp, found.num_requests) == ("m_v1", NOW, 100)
    assert (found.error_rate, found.requests_per_second) == (0.01, 5.0)
    assert (found.latency_p50_ms, found.source, found.device) == (50.0, "replica-1", "cpu")
    assert (found.ood_rate, found.input_drift_score) == (None, None)
    assert monitor.snapshot(now=NOW) is None


def test_where_all_failed_there_is_no_latency() -> None:
    monitor = Monitor("m_v1")
    monitor.failed()

    found = monitor.snapshot(now=NOW)

    assert found is not None
    assert (found.error_rate, found.latency_p95_ms) == (1.0, None)


def test_inputs_may_come_by_name_names_among_them() -> None:
    monitor = Monitor("m_v1", profile=MIXED)
    for size, colour in zip(ROWS[:1000, 0], COLOURS[:1000], strict=True):
        monitor.answered(1.0, inputs={"size": size, "colour": colour}, logits=[1.0, 2.0])

    alike = monitor.snapshot(now=NOW)
    for size in ROWS[:3000, 0]:
        monitor.answered(1.0, inputs={"size": size + 3, "colour": "blue"}, logits=[-9.0, -9.0])
    shifted = monitor.snapshot(now=NOW)

    assert alike is not None
    assert shifted is not None
    assert (alike.ood_rate, shifted.ood_rate) == (0.0, 1.0)
    assert alike.input_drift_score == pytest.approx(0.0, abs=0.02)
    assert shifted.input_drift_score is not None
    assert shifted.input_drift_score > 0.5


def test_inputs_of_another_model_are_refused_at_once_and_not_counted() -> None:
    monitor = Monitor("m_v1", profile=MIXED)

    with pytest.raises(ValueError, match="lack colour"):
        monitor.answered(1.0, inputs={"size": 1.0})
    with pytest.raises(ValueError, match="give 2 inputs: size, colour"):
        monitor.answered(1.0, inputs=[1.0, 2.0, 3.0])

    assert monitor.snapshot(now=NOW) is None


def test_drift_is_that_of_its_window_and_lasts_over_snapshots() -> None:
    monitor = Monitor("m_v1", profile=Profile.freeze({"a": ROWS[:, 0], "b": ROWS[:, 1]}))
    for row in ROWS[:150]:
        monitor.answered(1.0, inputs=row)
    few = monitor.snapshot(now=NOW)
    for row in ROWS[150:300]:
        monitor.answered(1.0, inputs=row)
    enough = monitor.snapshot(now=NOW + timedelta(minutes=1))
    monitor.failed()
    still = monitor.snapshot(now=NOW + timedelta(minutes=2))

    assert few is not None
    assert enough is not None
    assert still is not None
    assert few.input_drift_score is None
    assert enough.input_drift_score is not None
    assert still.input_drift_score == enough.input_drift_score


def test_where_nulls_were_measured_a_whole_window_is_waited_for() -> None:
    profile = Profile.freeze({"a": ROWS[:, 0]}, block_rows=400)
    monitor = Monitor("m_v1", profile=profile, drift_window=timedelta(hours=1))
    scores = []
    for minutes in (0, 30, 60):
        for row in ROWS[:300, :1]:
            monitor.answered(1.0, inputs=row)
        found = monitor.snapshot(now=NOW + timedelta(minutes=minutes))
        scores.append(found and found.input_drift_score)

    assert profile.features[0].null is not None
    assert scores[:2] == [None, None]
    assert scores[2] is not None


def test_no_request_is_lost_or_counted_twice_between_threads() -> None:
    monitor = Monitor("m_v1")
    counted: list[int] = []
    done = threading.Event()

    def collect() -> None:
        while not done.is_set():
            found = monitor.snapshot()
            counted.append(found.num_requests if found else 0)

    def serve() -> None:
        for _ in range(2000):
            monitor.answered(1.0)

    collecting = threading.Thread(target=collect)
    serving = [threading.Thread(target=serve) for _ in range(4)]
    for thread in (collecting, *serving):
        thread.start()
    for thread in serving:
        thread.join()
    done.set()
    collecting.join()

    last = monitor.snapshot()
    assert sum(counted) + (last.num_requests if last else 0) == 8000


def test_the_drift_window_is_a_day_unless_it_is_said_otherwise() -> None:
    monitor = Monitor("m_v1", profile=Profile.freeze({"a": ROWS[:, 0]}))

    def after(hours: float, shift: float) -> float:
        for row in ROWS[:300, 0]:
            monitor.answered(1.0, inputs=[row + shift])
        found = monitor.snapshot(now=NOW + timedelta(hours=hours))
        assert found is not None
        assert found.input_drift_score is not None
        return found.input_drift_score

    assert after(0, 3.0) > 0.5
    assert after(23.5, 0.0) > 0.3
    assert after(24.5, 0.0) < 0.1
