"""Charts are right, readable by those who listen, and safe to put into a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from monitoring.bars import Share, interval_bar, traffic_bar
from monitoring.charts import (
    HEIGHT,
    WIDTH,
    Chart,
    Mark,
    Point,
    describe,
    line_chart,
    nice_step,
    time_ticks,
)

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
END = START + timedelta(minutes=10)


def minute(n: float) -> datetime:
    return START + timedelta(minutes=n)


def chart(values: Sequence[tuple[float, float]] = (), **changes: Any) -> Chart:
    """A chart of (minute, value) pairs."""
    fields: dict[str, Any] = {
        "title": "Error rate",
        "start": START,
        "end": END,
        "points": [Point(minute(at), value) for at, value in values],
        "show": lambda value: f"{value:g}",
    }
    return Chart(**(fields | changes))


def drawn(markup: str, kind: str) -> str:
    """The path of one class."""
    found = re.search(rf'class="{kind}" d="([^"]*)"', markup)
    assert found is not None, f"nothing of class {kind}"
    return found[1]


def corners(path: str) -> list[tuple[float, float]]:
    """The x and y of every corner."""
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def words(markup: str, kind: str) -> list[str]:
    return re.findall(rf'<text class="{kind}"[^>]*>([^<]*)</text>', markup)


def test_a_chart_is_well_formed_and_names_itself() -> None:
    root = ET.fromstring(line_chart(chart([(1, 0.1), (2, 0.2)], threshold=0.15)))

    assert root.get("role") == "img"
    assert root[0].text == "Error rate"
    assert root.get("aria-label") == root[1].text


def test_the_description_says_range_last_value_extremes_and_limit() -> None:
    said = describe(
        chart([(1, 0.1), (2, 0.3), (3, 0.2)], threshold=0.15, marks=[Mark(minute(4), "canary")])
    )

    assert said == (
        "Error rate, 2026-01-31 12:00:00 to 12:10:00 UTC: 0.2 at the end; between 0.1 and 0.3; "
        "limit 0.15, 2 of 3 points over it; canary at 12:04:00."
    )


def test_a_chart_without_points_says_so_instead_of_drawing_a_zero() -> None:
    markup = line_chart(chart())

    assert words(markup, "nothing") == ["nothing reported"]
    assert "nothing reported" in describe(chart())
    assert drawn(markup, "line") == ""
    assert "<circle" not in markup


def test_time_runs_over_the_whole_width_and_zero_lies_at_the_bottom() -> None:
    markup = line_chart(chart([(0, 0.0), (5, 0.5), (10, 1.0)]))

    first, middle, last = corners(drawn(markup, "line"))
    assert first == (0.0, HEIGHT)
    assert middle[0] == WIDTH / 2
    assert last[0] == WIDTH
    assert last[1] == pytest.approx(HEIGHT * (1 - 1 / 1.12), abs=0.1)


def test_the_threshold_lies_inside_the_picture_even_where_all_values_are_far_below() -> None:
    markup = line_chart(chart([(1, 0.001)], threshold=0.05))

    height = float(drawn(markup, "limit").split()[1].split("H")[0])
    assert 0 < height < HEIGHT * 0.2
    assert words(markup, "limit-label") == ["0.05"]


def test_the_part_of_the_line_over_the_threshold_is_cut_out_at_the_crossing() -> None:
    markup = line_chart(chart([(0, 0.0), (2, 0.2), (4, 0.0)], threshold=0.1))

    under, over = drawn(markup, "line"), drawn(markup, "line over")
    assert [x for x, _ in corners(over)] == [100.0, 200.0, 300.0]
    assert [x for x, _ in corners(under)] == [0.0, 100.0, 300.0, 400.0]


@pytest.mark.parametrize(("value", "over"), [(0.1, False), (0.1001, True)])
def test_a_value_exactly_at_the_threshold_is_not_over_it(value: float, over: bool) -> None:
    markup = line_chart(chart([(1, value), (2, value)], threshold=0.1))

    assert bool(drawn(markup, "line over")) is over
    assert ('class="last over"' in markup) is over


def test_points_further_apart_than_the_gap_are_not_joined() -> None:
    markup = line_chart(chart([(1, 0.1), (2, 0.1), (7, 0.1), (8, 0.1)], gap=timedelta(minutes=2)))

    assert drawn(markup, "line").count("M") == 2
    assert drawn(markup, "area").count("Z") == 2


def test_a_lone_point_is_a_visible_dot() -> None:
    markup = line_chart(chart([(1, 0.1)]))

    assert drawn(markup, "line").endswith("h.1")


def test_points_outside_the_range_are_left_out() -> None:
    markup = line_chart(chart([(-1, 0.9), (1, 0.1), (11, 0.9)]))

    assert len(corners(drawn(markup, "line"))) == 1


def test_a_rollback_is_marked_where_it_happened() -> None:
    markup = line_chart(chart([(1, 0.1)], marks=[Mark(minute(5), "rolled back", "rollback")]))

    assert drawn(markup, "mark rollback") == f"M500.0 0V{HEIGHT}"
    assert words(markup, "mark-label rollback") == ["rolled back"]


def test_of_labels_that_would_touch_the_newest_stays_and_every_mark_keeps_its_line() -> None:
    marks = [Mark(minute(5), "canary 10 %"), Mark(minute(5.5), "production")]

    markup = line_chart(chart([(1, 0.1)], marks=marks))

    assert words(markup, "mark-label stage") == ["production"]
    assert markup.count('class="mark stage"') == 2


def test_the_value_of_a_line_gives_way_to_the_limit_it_would_touch() -> None:
    markup = line_chart(chart([(1, 0.01)], threshold=0.2))

    assert words(markup, "value") == ["0.1"]
    assert words(markup, "limit-label") == ["0.2"]


def test_text_from_outside_is_escaped() -> None:
    label = "<script>alert(1)</script>"

    markup = line_chart(chart([(1, 1)], title=label, marks=[Mark(minute(2), label)]))

    assert "<script" not in markup
    assert ET.fromstring(markup)[0].text == label


@pytest.mark.parametrize(
    ("span", "steps", "step"),
    [(0.056, 3, 0.02), (1.0, 2, 0.5), (431.0, 3, 200), (10, 5, 2), (3, 3, 1), (0.3, 3, 0.1)],
)
def test_lines_stand_on_numbers_people_count_in(span: float, steps: int, step: float) -> None:
    assert nice_step(span, steps) == pytest.approx(step)


@pytest.mark.parametrize(
    ("length", "step"),
    [
        (timedelta(minutes=10), timedelta(minutes=2)),
        (timedelta(hours=1), timedelta(minutes=10)),
        (timedelta(hours=24), timedelta(hours=4)),
        (timedelta(days=5), timedelta(days=1)),
        (timedelta(days=7), timedelta(days=2)),
        (timedelta(days=90), timedelta(days=28)),
    ],
)
def test_hours_stand_on_round_times(length: timedelta, step: timedelta) -> None:
    start = START + timedelta(seconds=7)

    ticks = time_ticks(start, start + length)

    assert {later - earlier for earlier, later in pairwise(ticks)} == {step}
    assert all(tick.second == 0 and tick >= start for tick in ticks)


def test_a_short_range_names_its_seconds_and_fewer_times() -> None:
    markup = line_chart(chart([(0.1, 1)], end=START + timedelta(seconds=50)))

    assert words(markup, "hour") == ["12:00:00", "12:00:15", "12:00:30", "12:00:45"]


def test_a_long_range_names_its_days() -> None:
    markup = line_chart(chart([(0.1, 1)], end=START + timedelta(days=7)))

    assert words(markup, "hour") == ["02 Feb", "04 Feb", "06 Feb"]
    assert "2026-01-31 12:00:00 to 2026-02-07 12:00:00 UTC" in markup


def test_the_traffic_bar_gives_each_share_its_place() -> None:
    markup = traffic_bar([Share(0, 1000, "v2", "canary"), Share(1000, 10_000, "v1", "production")])

    root = ET.fromstring(markup)
    shares = root.findall("rect")[1:]
    assert [(r.get("x"), r.get("width")) for r in shares] == [
        ("0.00%", "10.00%"),
        ("10.00%", "90.00%"),
    ]
    assert root.get("aria-label") == "Traffic: v2 10 %, v1 90 %"


def test_a_bar_nobody_answers_says_so_and_escapes_names() -> None:
    assert "no version answers" in traffic_bar([])
    assert "<b>" not in traffic_bar([Share(0, 1, "<b>", "canary")])


def test_the_interval_bar_shows_value_interval_and_bound_and_stays_inside() -> None:
    root = ET.fromstring(interval_bar(0.7, 0.6, 1.5, bound=0.8, span=(0.5, 1.0)))

    _, bound, interval = root.findall("line")
    value = root.find("circle")
    assert bound.get("x1") == "60.00%"
    assert (interval.get("x1"), interval.get("x2")) == ("20.00%", "100.00%")
    assert value is not None
    assert value.get("cx") == "40.00%"
    assert root.get("aria-label") == "0.700, interval 0.600 to 1.500, bound 0.8"
