"""Columns and counting bars are right, readable by those who listen, and safe in a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import date

import pytest

from monitoring.bars import count_bar
from monitoring.columns import HEIGHT, Columns, column_chart, describe

FIRST = date(2026, 1, 2)


def columns(counts: Sequence[int], **changes: str) -> Columns:
    named = {"title": "Rollbacks", "kind": "rolled_back"} | changes
    return Columns(first=FIRST, counts=counts, **named)


def heights(markup: str) -> list[float]:
    return [float(h) for h in re.findall(r'class="column[^>]*height="([\d.]+)"', markup)]


def words(markup: str, kind: str) -> list[str]:
    return re.findall(rf'<text class="{kind}"[^>]*>([^<]*)</text>', markup)


def test_columns_are_as_high_as_their_counts() -> None:
    markup = column_chart(columns([0, 10, 20, 5]))

    nothing, ten, twenty, five = heights(markup)
    assert nothing == 0
    assert twenty == HEIGHT
    assert (ten, five) == (twenty / 2, twenty / 4)


def test_one_of_a_thousand_still_shows() -> None:
    one, most = heights(column_chart(columns([1, 1000])))

    assert 1 < one < 3 < most


@pytest.mark.parametrize(
    ("most", "lines"),
    [
        (1, ["1"]),
        (2, ["1", "2"]),
        (3, ["1", "2", "3"]),
        (4, ["2", "4"]),
        (7, ["5", "10"]),
        (2900, ["1,000", "2,000", "3,000"]),
    ],
)
def test_lines_stand_at_whole_numbers_up_to_the_highest(most: int, lines: list[str]) -> None:
    assert words(column_chart(columns([0, most])), "value") == lines


def test_a_date_stands_under_the_last_day_and_each_week_before_it() -> None:
    assert words(column_chart(columns([1] * 30)), "hour") == [
        "31 Jan",
        "24 Jan",
        "17 Jan",
        "10 Jan",
        "3 Jan",
    ]


def test_each_day_says_its_number() -> None:
    markup = column_chart(columns([3, 0]))

    assert re.findall("<title>([^<]*)</title>", markup) == ["Fri 2 Jan: 3", "Sat 3 Jan: 0"]


def test_the_last_day_is_painted_apart() -> None:
    assert re.findall(r'class="(column[^"]*)"', column_chart(columns([1, 1]))) == [
        "column",
        "column last",
    ]


def test_the_columns_are_told_in_words() -> None:
    assert describe(columns([3, 7, 7, 1])) == (
        "Rollbacks a day, 2026-01-02 to 2026-01-05 UTC: 18 in all; most on 2026-01-03, 7; "
        "1 on the last day so far."
    )


def test_a_month_without_any_says_so() -> None:
    empty = columns([0, 0])

    assert describe(empty) == "Rollbacks a day, 2026-01-02 to 2026-01-03 UTC: none."
    assert words(column_chart(empty), "nothing") == ["none"]
    assert words(column_chart(empty), "value") == []


def test_words_are_escaped() -> None:
    markup = column_chart(columns([1], title='<b> & "c"', kind='"><script>'))

    ET.fromstring(markup)
    assert "<b>" not in markup
    assert "<script>" not in markup


@pytest.mark.parametrize(
    ("count", "most", "width"),
    [(5, 10, "50.00%"), (10, 10, "100.00%"), (0, 10, "0.00%"), (0, 0, "0.00%"), (1, 9999, "1.00%")],
)
def test_a_bar_is_a_part_of_the_greatest(count: int, most: int, width: str) -> None:
    markup = count_bar(count, most, "canary")

    ET.fromstring(markup)
    assert f'class="count canary" width="{width}"' in markup
