"""A difference is found wherever one can be, and only there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from config.scenarios import comparing
from config.scenarios.comparing import Made, Outcome
from config.scenarios.series import Raised, Rollback
from tests.scenarios.makers import scenario, series

MADE = Made("v1", 60, "v0", frozenset({"error_rate"}))


def differences(outcome: dict[str, Any], **expected: Any) -> list[str]:
    usual: dict[str, Any] = {
        "rollbacks": [],
        "stages": {"v1": "production"},
        "weights": {"v1": Decimal(100)},
        "verdicts": {60: {"v1": "ok"}},
        "actions": [],
        "incidents": [],
        "statuses": {},
    }
    story = scenario(series(id="named"), **expected)
    return comparing.differences(story, Outcome(**usual | outcome))


def rollback(**said: Any) -> Rollback:
    return Rollback(**{"version": "v1"} | said)


@pytest.mark.parametrize(
    "expected",
    [
        {"rollbacks": [rollback(between=(60, 60), reason="error_rate")]},
        {"rollbacks": [rollback(restores="v0", says_restores=True)]},
        {"rollbacks": [rollback()]},
        {},
    ],
)
def test_what_is_as_expected_is_no_difference(expected: dict[str, Any]) -> None:
    assert differences({"rollbacks": [MADE]}, **expected) == []


@pytest.mark.parametrize(
    ("made", "expected", "said"),
    [
        ([MADE], [], "v1 was rolled back at 60, for error_rate; it was not expected"),
        ([MADE, MADE], [rollback()], "v1 was rolled back at 60, for error_rate; it was not expected"),
        ([], [rollback(between=(30, 59))], "v1 was not rolled back between 30 and 59"),
        ([], [rollback()], "v1 was not rolled back"),
        ([MADE], [rollback(between=(30, 59))], "v1 was rolled back at 60, not between 30 and 59"),
        ([MADE], [rollback(between=(61, 90))], "v1 was rolled back at 60, not between 61 and 90"),
        ([MADE], [rollback(says_restores=True)], "v1 gave way to v0, not to None"),
        ([MADE], [rollback(reason="ood_rate")], "v1 was rolled back for error_rate, not for ood_rate"),
    ],
)  # fmt: skip
def test_rollbacks_are_exactly_those(made: list[Made], expected: list[Rollback], said: str) -> None:
    assert differences({"rollbacks": made}, rollbacks=expected) == [said]


@pytest.mark.parametrize(
    ("outcome", "expected", "said"),
    [
        ({}, {"final": {"v1": "rollback"}}, "v1 ended in production, not in rollback"),
        ({}, {"weight": {"v1": Decimal(10)}}, "v1 ended with 100 % of traffic, not with 10 %"),
        ({}, {"weight": {"v2": Decimal(10)}}, "v2 ended with 0 % of traffic, not with 10 %"),
        ({}, {"verdict_at": {60: {"v1": "watch"}}}, "the verdict on v1 at 60 was ok, not watch"),
        (
            {"actions": [("promote", "v1", 90)]},
            {"never": [("promote", "v1")]},
            "promote_v1 happened at 90; it must never",
        ),
        (
            {"incidents": [("v1", "no_data", 630), ("v1", "no_data", 60)]},
            {"incidents": [Raised(version="v1", kind="no_data", by=600)]},
            "the incident no_data of v1 was opened at 630, not by 600",
        ),
        (
            {"incidents": [("v1", "breach", 60)]},
            {"incidents": [Raised(version="v1", kind="no_data")]},
            "no incident no_data of v1 was opened",
        ),
        (
            {"statuses": {0: [201, 400, 201]}},
            {"http": {"named": 201}},
            "uploads of named were answered 201 and 400, not 201",
        ),
        ({}, {"http": {"named": 400}}, "uploads of named were answered nothing, not 400"),
        ({"statuses": {0: [500]}}, {}, "uploads of named were answered 500"),
    ],
)
def test_each_other_difference_is_said(
    outcome: dict[str, Any], expected: dict[str, Any], said: str
) -> None:
    assert differences(outcome, **expected) == [said]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({"actions": [("promote", "v2", 90)]}, {"never": [("promote", "v1")]}),
        ({"statuses": {0: [400, 400]}}, {"http": {"named": 400}}),
        ({"statuses": {0: [400]}}, {}),
        (
            {"incidents": [("v1", "no_data", 600)]},
            {"incidents": [Raised(version="v1", kind="no_data", by=600)]},
        ),
        ({}, {"weight": {"v2": Decimal(0)}}),
    ],
)
def test_what_was_not_asked_for_is_no_difference(
    outcome: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert differences(outcome, **expected) == []
