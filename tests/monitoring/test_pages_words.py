"""How the pages write times, shares, stages and verdicts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from monitoring.templatetags import assay


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0.2404, "0.24 s"),
        (9.99, "9.99 s"),
        (12.7, "12 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (7_200, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_unit(seconds: float | None, said: str) -> None:
    assert assay.span(seconds) == said


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=-3), "now"),
        (timedelta(seconds=0), "now"),
        (timedelta(seconds=7.4), "7 s ago"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(days=12, hours=3), "12 d ago"),
    ],
)
def test_how_long_ago_is_told_roughly_with_the_exact_time_beside_it(
    age: timedelta, said: str
) -> None:
    at = timezone.now() - age

    shown = assay.ago(at)

    assert f">{said}</time>" in shown
    assert f'title="{at:%Y-%m-%d %H:%M:%S} UTC"' in shown
    assert f'datetime="{at.isoformat(timespec="milliseconds")}"' in shown


def test_a_moment_of_another_day_carries_its_date() -> None:
    shown = assay.moment(datetime(2020, 2, 29, 23, 59, 58, tzinfo=UTC))

    assert ">2020-02-29 23:59 UTC</time>" in shown


def test_a_moment_of_today_carries_its_seconds() -> None:
    now = timezone.now()

    assert f">{now:%H:%M:%S} UTC</time>" in assay.moment(now)


def test_what_is_not_there_is_a_dash() -> None:
    shown = {assay.moment(None), assay.ago(None), assay.percent(None), assay.points(None)}

    assert shown | {assay.figure(None)} == {"–"}


def test_shares_have_no_digits_that_say_nothing() -> None:
    assert [assay.percent(0.05), assay.percent(0.12345)] == ["5 %", "12.3 %"]
    assert [assay.points(12.5), assay.points(10.0)] == ["12.5 %", "10 %"]


def test_colour_is_never_the_only_sign() -> None:
    assert "roll back</span>" in assay.verdict("rollback")
    assert "not passed" in assay.check(False, "Bias check")
    assert "canary 12.5 %" in assay.stage("canary", 12.5)
    assert "not applicable" in assay.finding("not_applicable")


def test_names_are_escaped() -> None:
    assert "<b>" not in assay.stage("<b>")
    assert "<b>" not in assay.finding("<b>")
