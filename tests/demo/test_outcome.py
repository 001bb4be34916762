from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.evidence import Decision
from demo.lines import Status
from demo.outcome import Outcome, score

DECIDED = datetime(2026, 11, 23, 15, 30, 26, tzinfo=UTC)


@pytest.fixture
def outcome() -> Outcome:
    """A canary that went as told: 10 % of 6,000 requests, then nothing."""
    return Outcome(
        decision=Decision(
            model_id="v2",
            decided_on=DECIDED,
            committed=DECIDED.replace(microsecond=40_000),
            reasons=("input drift 0.65 > 0.3 over 231 requests",),
            breached={"input_drift_score": 0.65},
            incident_id=1,
            answer={},
        ),
        stayed="v1",
        scores={"v1": 0.041, "v2": 0.652},
        status=Status(
            data_time="2013-05-01T00:00:00+00:00",
            waiting=True,
            shares={3: {"v1": 700}, 4: {"v1": 5_400, "v2": 600}, 5: {"v1": 5_100}},
            highest_drift={"v1": 0.047, "v2": 0.66},
            last_answered={"v1": None, "v2": DECIDED.timestamp() + 0.9},
        ),
    )


def with_status(outcome: Outcome, **changes: Any) -> Outcome:
    return replace(outcome, status=replace(outcome.status, **changes))


def test_a_canary_that_went_as_told_has_no_objection(outcome: Outcome) -> None:
    assert outcome.objections() == []


def test_figures_are_those_of_the_record(outcome: Outcome) -> None:
    assert outcome.figures() == [
        ("drift of v2 at the decision", "0.652"),
        ("drift of v1 at the decision", "0.041"),
        ("highest drift of v1 so far", "0.047"),
        ("deciding snapshot to committed rollback", "40 ms"),
        ("deciding snapshot to the last answer of v2", "900 ms"),
        ("share of v2 while in canary", "10.00% of 6,000 requests"),
        ("requests since then, none of them its", "5,100"),
    ]


def test_another_reason_than_drift_is_an_objection(outcome: Outcome) -> None:
    other = replace(
        outcome,
        decision=replace(
            outcome.decision, breached={"error_rate": 0.09}, reasons=("error rate 9 % > 5 %",)
        ),
    )

    assert other.objections() == [
        "v2 was to be taken out for its drift, and was for: error rate 9 % > 5 %."
    ]


@pytest.mark.parametrize(
    ("v1", "v2", "told"),
    [(5_460, 540, True), (5_461, 539, False), (5_340, 660, True), (5_339, 661, False)],
)
def test_a_share_is_ten_percent_give_or_take_one(
    outcome: Outcome, v1: int, v2: int, told: bool
) -> None:
    served = with_status(outcome, shares={4: {"v1": v1, "v2": v2}})

    assert (served.objections() == []) is told


def test_a_share_of_few_requests_proves_nothing(outcome: Outcome) -> None:
    served = with_status(outcome, shares={4: {"v1": 4_499, "v2": 500}})

    assert served.objections() == [
        "v2 was to answer 9 to 11 % of 5,000 requests or more; it answered 500 of 4,999."
    ]


def test_a_canary_that_never_answered_has_no_share(outcome: Outcome) -> None:
    served = with_status(outcome, shares={4: {"v1": 9_000}})

    assert served.share == 0.0
    assert served.objections() == [
        "v2 was to answer 9 to 11 % of 5,000 requests or more; it answered 0 of 0."
    ]


@pytest.mark.parametrize(("after", "told"), [(5.0, True), (5.5, False)])
def test_answers_stop_soon_after_the_decision(outcome: Outcome, after: float, told: bool) -> None:
    served = with_status(outcome, last_answered={"v2": DECIDED.timestamp() + after})

    assert (served.objections() == []) is told


def test_an_unknown_last_answer_is_an_objection(outcome: Outcome) -> None:
    served = with_status(outcome, last_answered={})

    assert len(served.objections()) == 1
    assert ("deciding snapshot to the last answer of v2", "unknown") in served.figures()


def test_drift_of_the_version_that_stays_is_an_objection(outcome: Outcome) -> None:
    served = with_status(outcome, highest_drift={"v1": 0.2})

    assert served.objections() == ["The drift of v1 was to stay under 0.2; it reached 0.200."]


def test_every_objection_is_named(outcome: Outcome) -> None:
    served = with_status(outcome, highest_drift={"v1": 0.5}, shares={}, last_answered={})

    assert len(served.objections()) == 3


@pytest.mark.parametrize(("value", "said"), [(None, "not yet known"), (0.6523, "0.652")])
def test_a_score_that_is_not_known_is_said_so(value: float | None, said: str) -> None:
    assert score(value) == said
