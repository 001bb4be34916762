"""What a breach leads to, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.decisions import Action, Circumstances, Manners, decide
from monitoring.triggers import Assessment, Metric, TriggerResult, Verdict
from tests.conftest import NOW

CANARY = Circumstances(
    in_production=False,
    stage_entered_at=NOW - timedelta(hours=1),
    has_predecessor=False,
    last_hand_back_at=None,
    canary_breaches=frozenset(),
)
PRODUCTION = replace(CANARY, in_production=True, has_predecessor=True)


def breach(*metrics: Metric) -> Assessment:
    triggers = tuple(
        TriggerResult(metric, Verdict.ROLLBACK, 1.0, 0.5, 1000, 10, f"{metric} is too high")
        for metric in metrics
    )
    return Assessment(Verdict.ROLLBACK, triggers, 1000, 10)


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.WATCH, Verdict.NO_DATA])
def test_only_a_breach_leads_to_anything(verdict: Verdict) -> None:
    assessment = Assessment(verdict, (), 1000, 10)

    assert decide(assessment, PRODUCTION, Manners(), now=NOW) is Action.NONE


@pytest.mark.parametrize("around", [CANARY, PRODUCTION])
def test_a_breach_is_rolled_back_in_every_serving_stage(around: Circumstances) -> None:
    assert decide(breach(Metric.ERROR_RATE), around, Manners(), now=NOW) is Action.ROLL_BACK


def test_the_initial_delay_is_waited_for() -> None:
    manners = Manners(initial_delay=timedelta(hours=1, seconds=1))

    early = decide(breach(Metric.ERROR_RATE), CANARY, manners, now=NOW)
    later = decide(breach(Metric.ERROR_RATE), CANARY, manners, now=NOW + timedelta(seconds=1))

    assert (early, later) == (Action.WAIT, Action.ROLL_BACK)


def test_a_policy_may_leave_it_to_people() -> None:
    found = decide(breach(Metric.ERROR_RATE), CANARY, Manners(automatic=False), now=NOW)

    assert found is Action.NOTIFY


@pytest.mark.parametrize(
    ("seconds", "action"), [(1799, Action.SUPPRESS_COOLDOWN), (1800, Action.ROLL_BACK)]
)
def test_a_hand_back_is_suppressed_for_1800_seconds_after_another(
    seconds: int, action: Action
) -> None:
    around = replace(PRODUCTION, last_hand_back_at=NOW - timedelta(seconds=seconds))

    assert decide(breach(Metric.ERROR_RATE), around, Manners(), now=NOW) is action


def test_taking_a_canary_out_is_never_suppressed() -> None:
    around = replace(CANARY, last_hand_back_at=NOW - timedelta(seconds=1))

    assert decide(breach(Metric.ERROR_RATE), around, Manners(), now=NOW) is Action.ROLL_BACK


@pytest.mark.parametrize("metric", [Metric.INPUT_DRIFT, Metric.LATENCY])
def test_production_is_held_where_a_canary_breaches_the_same(metric: Metric) -> None:
    around = replace(PRODUCTION, canary_breaches=frozenset({metric}))

    assert decide(breach(metric), around, Manners(), now=NOW) is Action.HOLD_SHARED_CAUSE


@pytest.mark.parametrize(
    ("breached", "canary"),
    [
        ((Metric.ERROR_RATE,), {Metric.ERROR_RATE}),
        ((Metric.INPUT_DRIFT,), {Metric.LATENCY}),
        ((Metric.INPUT_DRIFT, Metric.ERROR_RATE), {Metric.INPUT_DRIFT}),
        ((Metric.INPUT_DRIFT,), set()),
    ],
)
def test_other_breaches_share_no_cause(breached: tuple[Metric, ...], canary: set[Metric]) -> None:
    around = replace(PRODUCTION, canary_breaches=frozenset(canary))

    assert decide(breach(*breached), around, Manners(), now=NOW) is Action.ROLL_BACK


def test_a_policy_may_roll_back_on_a_shared_cause() -> None:
    around = replace(PRODUCTION, canary_breaches=frozenset({Metric.LATENCY}))
    manners = Manners(hold_on_shared_cause=False)

    assert decide(breach(Metric.LATENCY), around, manners, now=NOW) is Action.ROLL_BACK


def test_without_a_predecessor_the_policy_says_whether_production_is_held() -> None:
    around = replace(PRODUCTION, has_predecessor=False)

    withdrawn = decide(breach(Metric.ERROR_RATE), around, Manners(), now=NOW)
    held = decide(
        breach(Metric.ERROR_RATE), around, Manners(hold_without_predecessor=True), now=NOW
    )

    assert (withdrawn, held) == (Action.ROLL_BACK, Action.NOTIFY)
