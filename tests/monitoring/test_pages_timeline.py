"""The charts of a page: the right stretch of time, added up by requests, with what happened in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from monitoring.pages import series, version
from monitoring.pages.timeline import Stint, Timeline, last_stint, spans, timeline
from monitoring.triggers import Metric
from registry import lifecycle
from registry.models import ModelVersion, StageTransition
from tests.conftest import NOW, take
from tests.monitoring.makers import enter, report, report_every

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
LIMITS = {Metric.ERROR_RATE: 0.05, Metric.LATENCY: None}


def charts_of(found: ModelVersion, transitions: list[StageTransition], asked: str = "") -> Timeline:
    return timeline(found, transitions, LIMITS, window_minutes=10, asked=asked, now=NOW)


def test_a_bin_weighs_rates_by_requests(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, at=NOW - timedelta(seconds=5), source="a", num_requests=900, error_rate=0.0)
    report(canary, at=NOW - timedelta(seconds=4), source="b", num_requests=100, error_rate=0.5)

    found = series.read(canary, start=NOW - 10 * MINUTE, end=NOW, step=timedelta(seconds=10))

    (point,) = found.metrics[Metric.ERROR_RATE]
    assert point.value == pytest.approx(0.05)
    assert point.at == NOW - timedelta(seconds=5)  # the middle of the bin


def test_a_metric_that_was_not_reported_has_no_point(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, ood_rate=None)

    found = series.read(canary, start=NOW - 10 * MINUTE, end=NOW, step=timedelta(seconds=10))

    assert found.metrics[Metric.OOD_RATE] == []
    assert len(found.metrics[Metric.ERROR_RATE]) == 1


def test_rows_without_requests_and_other_versions_are_left_out(make_version: Maker) -> None:
    canary, other = enter(make_version("canary")), enter(make_version("canary"))
    report(canary, num_requests=0)
    report(other)

    found = series.read(canary, start=NOW - 10 * MINUTE, end=NOW, step=timedelta(seconds=10))

    assert found.metrics[Metric.ERROR_RATE] == []


def test_requests_are_counted_by_the_minute(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report_every(canary, [50, 40, 30], num_requests=200)
    report_every(canary, [110], num_requests=70)

    found = series.read(canary, start=NOW - 10 * MINUTE, end=NOW, step=timedelta(seconds=10))

    assert [point.value for point in found.requests_per_minute] == [70, 600]


def test_in_a_short_range_requests_are_counted_more_often_at_the_same_rate(
    make_version: Maker,
) -> None:
    canary = enter(make_version("canary"))
    report_every(canary, range(1, 60), num_requests=10)

    found = series.read(canary, start=NOW - MINUTE, end=NOW, step=timedelta(seconds=1))

    assert len(found.requests_per_minute) == 10
    assert {round(point.value) for point in found.requests_per_minute[1:-1]} == {600}


def test_each_count_of_requests_holds_several_reports(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report_every(canary, range(0, 120, 15), num_requests=50)

    found = series.read(canary, start=NOW - 2 * MINUTE, end=NOW, step=timedelta(seconds=1))

    assert {round(point.value) for point in found.requests_per_minute} == {200}


def test_a_count_that_is_not_over_is_left_out(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, at=NOW - timedelta(seconds=5))

    found = series.read(canary, start=NOW - 10.5 * MINUTE, end=NOW, step=timedelta(seconds=10))

    assert found.requests_per_minute == []


def test_a_silence_of_three_reports_is_a_hole_in_the_line(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report_every(canary, [540, 480, 420, 360])

    found = series.read(canary, start=NOW - 10 * MINUTE, end=NOW, step=timedelta(seconds=10))

    assert found.gap == 3 * MINUTE


def test_the_ranges_are_from_the_triggers_window_to_a_quarter() -> None:
    assert [(s.key, s.label, s.length) for s in spans(10)] == [
        ("window", "10 min", 10 * MINUTE),
        ("hour", "1 h", timedelta(hours=1)),
        ("day", "24 h", timedelta(hours=24)),
        ("week", "7 d", timedelta(days=7)),
        ("quarter", "90 d", timedelta(days=90)),
    ]


@pytest.mark.parametrize(
    ("asked", "key"),
    [("", "window"), ("hour", "hour"), ("day", "day"), ("week", "week"), ("year", "window")],
)
def test_the_reader_chooses_the_range_and_gets_the_window_otherwise(
    make_version: Maker, asked: str, key: str
) -> None:
    shown = charts_of(enter(make_version("canary")), [], asked)

    assert shown.span.key == key
    assert shown.end - shown.start == shown.span.length
    assert shown.end >= NOW


def test_the_threshold_of_each_metric_is_drawn_where_there_is_one(make_version: Maker) -> None:
    shown = charts_of(enter(make_version("canary")), [])

    assert 'class="limit"' in shown.charts["error_rate"]
    assert 'class="limit"' not in shown.charts["latency_p95_ms"]
    assert set(shown.charts) == {*map(str, Metric), "requests"}


def lived(version: ModelVersion, began: timedelta, left: timedelta) -> list[StageTransition]:
    """The version's transitions, as if it had served from and until so long before NOW."""
    out = lifecycle.roll_back(version, actor="user:1")
    version.refresh_from_db()
    transitions = list(version.transitions.all())
    entered = next(t for t in transitions if t.to_stage == "canary")
    transitions[0].at, entered.at = NOW - left, NOW - began
    assert transitions[0] == out
    return transitions


def test_charts_of_a_version_that_left_traffic_end_soon_after_it_left(make_version: Maker) -> None:
    canary = make_version("canary")
    transitions = lived(canary, timedelta(hours=5), timedelta(hours=2))

    shown = charts_of(canary, transitions)

    left_at = NOW - timedelta(hours=2)
    assert shown.left_at == left_at
    assert MINUTE <= shown.end - left_at <= MINUTE + timedelta(seconds=10)
    assert "rolled back" in shown.charts["error_rate"]


def test_a_version_that_left_a_moment_ago_is_charted_up_to_now(make_version: Maker) -> None:
    canary = make_version("canary")
    transitions = lived(canary, timedelta(hours=5), timedelta(seconds=10))

    assert charts_of(canary, transitions).left_at is None


def test_a_short_life_fills_the_chart_and_shows_how_it_began_and_ended(make_version: Maker) -> None:
    canary = make_version("canary")
    transitions = lived(canary, timedelta(hours=2), timedelta(hours=2, minutes=-2))

    shown = charts_of(canary, transitions, "day")

    assert timedelta(minutes=2) < shown.end - shown.start < timedelta(minutes=3)
    for happened in ("canary 10 % at", "rolled back at"):
        assert happened in shown.charts["error_rate"]


def test_a_version_that_came_back_is_charted_from_its_last_time_in_traffic(
    make_version: Maker,
) -> None:
    version = make_version("canary")
    take(version, "sandbox")
    take(version, "canary")
    version.refresh_from_db()
    transitions = list(version.transitions.all())

    stint = last_stint(version, transitions)

    assert stint == Stint(transitions[0].at, None)


def test_a_version_that_never_served_has_no_time_in_traffic(make_version: Maker) -> None:
    sandbox = make_version("sandbox")

    assert last_stint(sandbox, list(sandbox.transitions.all())) is None


def test_a_serving_version_shows_each_trigger_with_its_limit(make_version: Maker) -> None:
    canary = enter(make_version("canary", expected_latency_p95_ms=100.0))
    report(canary, error_rate=0.2)

    shown = version.live(canary, asked="", now=NOW)

    assert {f.metric: f.threshold for f in shown.figures} == {
        Metric.ERROR_RATE: "5 %",
        Metric.LATENCY: "150 ms",
        Metric.OOD_RATE: "20 %",
        Metric.INPUT_DRIFT: "0.3",
    }
    assert shown.verdict == "rollback"
