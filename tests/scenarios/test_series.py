"""What series come to, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from config.scenarios import series as expansion
from config.scenarios.series import Hashed, Literally, Series, Share, Steady, Upload
from tests.scenarios.makers import scenario, series


def uploads(*items: Series) -> list[Upload]:
    return expansion.uploads(scenario(*items))


def times(upload: Upload) -> list[str]:
    return [snapshot["timestamp"][11:19] for snapshot in upload.snapshots]


def test_a_snapshot_says_all_that_is_reported() -> None:
    (upload,) = uploads(series(stop=20, errors=Steady(0.07), ood=Literally(None), drift=0.2))

    assert upload.snapshots == [
        {
            "timestamp": "2026-01-01T00:00:10+00:00",
            "num_requests": 100,
            "error_rate": 0.07,
            "ood_rate": None,
            "input_drift_score": 0.2,
            "latency_p50_ms": 30,
            "latency_p95_ms": 90,
            "latency_p99_ms": 140,
        }
    ]


@pytest.mark.parametrize(
    ("share", "n", "counts"),
    [
        # floor(p · S + 1e-9) of the cumulative S, less what was counted before
        (Steady(0.06), 1000, [60, 60, 60]),
        (Steady(0.025), 10, [0, 0, 0, 1, 0, 0, 0, 1]),
        (Steady(0.29), 100, [29, 29, 29]),  # 0.29 · 100 is 28.999999999999996
        (Steady(1 / 3), 1, [0, 0, 1, 0, 0, 1]),
        # sha256("s:0:0") … as sha256sum has them
        (Hashed(0.5, "s"), 4, [2, 1, 3]),
        (Hashed(0.1, "7"), 100, [8, 12, 10]),
        (Hashed(0.0, "s"), 50, [0, 0]),
        (Hashed(1.0, "s"), 50, [50, 50]),
    ],
)
def test_a_rate_is_a_whole_number_of_requests(share: Share, n: int, counts: list[int]) -> None:
    assert [share.of(index, n) for index in range(len(counts))] == [count / n for count in counts]


def test_the_first_hash_is_that_of_the_formula() -> None:
    # sha256("s:0:0") begins with 6e137bb0, which is 0.429985 of 2³²
    just_over, just_under = Hashed(0.43, "s"), Hashed(0.4299, "s")

    assert (just_over.of(0, 1), just_under.of(0, 1)) == (1.0, 0.0)


def test_snapshots_end_before_the_end() -> None:
    assert [len(u.snapshots) for u in uploads(series(start=10, stop=40))] == [3]
    assert [len(u.snapshots) for u in uploads(series(start=10, stop=41))] == [3, 1]
    assert uploads(series(start=10, stop=10)) == []


def test_what_is_received_by_one_step_is_one_upload() -> None:
    found = uploads(series(start=10, stop=70))

    assert [(u.received, len(u.snapshots)) for u in found] == [(30, 3), (60, 3)]


def test_delays_shuffle_arrivals_and_leave_times_alone() -> None:
    found = uploads(series(delays=[30.0, 0.0, 5.0]))

    assert [(u.received, times(u)) for u in found] == [
        (20, ["00:00:20"]),
        (40, ["00:00:30", "00:00:10"]),
    ]


def test_a_wrong_clock_reports_alone_at_the_moment() -> None:
    found = uploads(series(t_shift=-3600.0, stop=30))

    assert [(u.received, times(u)) for u in found] == [(10, ["23:00:10"]), (20, ["23:00:20"])]


def test_repeats_follow_at_once() -> None:
    found = uploads(series(repeat=2), series(version="v1", start=15, stop=20))

    assert [(u.series, u.received) for u in found] == [(1, 15), (0, 30), (0, 30)]


@pytest.mark.parametrize("n", [-5, 2.5, None, "many"])
def test_a_count_may_be_garbage(n: Any) -> None:
    (upload,) = uploads(series(stop=20, n=n, errors=Steady(0.5)))

    assert (upload.snapshots[0]["num_requests"], upload.snapshots[0]["error_rate"]) == (n, 0.0)


def test_steps_end_with_the_scenario() -> None:
    assert expansion.steps(scenario()) == [30, 60, 90, 120]
