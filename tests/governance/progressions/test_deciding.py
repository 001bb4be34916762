"""Whether a step is over: pure, with properties over everything that may be known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.progressions import steps
from governance.progressions.deciding import Advance, Facts, Stalled, Wait, decide
from governance.progressions.steps import Step
from monitoring.triggers import Verdict
from tests.conftest import NOW

STEP, NEXT = Step(10, minutes=10, min_requests=100), Step(25)
GOOD = Facts(
    entered_at=NOW - timedelta(minutes=10),
    deadline_at=NOW + timedelta(minutes=60),
    requests=100,
    now_says=Verdict.OK,
    step_says=Verdict.OK,
)
LATE = NOW - timedelta(seconds=1)

some_facts = st.builds(
    Facts,
    entered_at=st.integers(0, 1200).map(lambda s: NOW - timedelta(seconds=s)),
    deadline_at=st.integers(-600, 600).map(lambda s: NOW + timedelta(seconds=s)),
    requests=st.integers(0, 300),
    now_says=st.sampled_from(Verdict),
    step_says=st.sampled_from(Verdict),
    paused_for=st.integers(0, 1200).map(lambda s: timedelta(seconds=s)),
    worse=st.sampled_from([None, "error rate 4 %"]),
    rollback_requested=st.booleans(),
    let_in=st.booleans(),
    called=st.booleans(),
)
some_steps = st.builds(
    Step,
    percentage=st.just(10),
    minutes=st.integers(1, 15),
    min_requests=st.integers(0, 200),
    wait=st.booleans(),
)


def test_a_step_that_went_well_is_over() -> None:
    assert decide(STEP, NEXT, GOOD, NOW) == Advance()


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"requests": 99}, "99 of 100 requests in this step."),
        ({"now_says": Verdict.NO_DATA}, "The triggers say no data."),
        ({"step_says": Verdict.WATCH}, "The triggers say watch."),
        (
            {"now_says": Verdict.ROLLBACK, "concerns": ("error rate 8 % > 5 %",)},
            "The triggers say rollback: error rate 8 % > 5 %.",
        ),
        ({"worse": "4 %"}, "It does worse than production: 4 %."),
        ({"rollback_requested": True}, "Its rollback has been requested."),
        ({"paused_for": timedelta(seconds=1)}, "The step lasts 10 minutes."),
    ],
)
def test_each_thing_that_is_missing_holds_it(facts: dict, reason: str) -> None:
    assert decide(STEP, NEXT, replace(GOOD, **facts), NOW) == Wait((reason,))


def test_a_person_is_waited_for_only_once_all_else_is_there() -> None:
    production = Step(100, wait=True)

    found = decide(STEP, production, GOOD, NOW)

    assert found == Wait(("A person lets it into production.",), for_person=True)
    assert decide(STEP, production, replace(GOOD, let_in=True), NOW) == Advance()
    early = decide(STEP, production, replace(GOOD, requests=0, let_in=True), NOW)
    assert early == Wait(("0 of 100 requests in this step.",))


def test_people_are_called_once_about_a_late_step_and_a_good_one_goes_on_however_late() -> None:
    late = replace(GOOD, requests=0, deadline_at=LATE)

    assert isinstance(decide(STEP, NEXT, late, NOW), Stalled)
    assert isinstance(decide(STEP, NEXT, replace(late, called=True), NOW), Wait)
    assert decide(STEP, NEXT, replace(GOOD, deadline_at=LATE), NOW) == Advance()


@given(some_steps, some_steps, some_facts)
def test_it_never_advances_on_anything_missing(step: Step, following: Step, facts: Facts) -> None:
    if decide(step, following, facts, NOW) != Advance():
        return

    assert facts.requests >= max(1, step.min_requests)
    assert facts.now_says is facts.step_says is Verdict.OK
    assert facts.worse is None
    assert not facts.rollback_requested
    assert NOW - facts.entered_at - facts.paused_for >= step.duration
    assert facts.let_in or not following.wait


@given(some_steps, some_steps, some_facts)
def test_what_let_it_into_a_step_never_lets_it_out_again(
    step: Step, following: Step, facts: Facts
) -> None:
    entered = replace(facts, entered_at=NOW, paused_for=timedelta(0))

    assert decide(step, following, entered, NOW) != Advance()


@pytest.mark.parametrize(
    ("shares", "good"),
    [
        ((5, 10, 25, 50, 100), True),
        ((99, 100), True),
        ((100,), False),
        ((5, 50), False),
        ((10, 10, 100), False),
        ((25, 10, 100), False),
        (tuple(range(80, 101)), False),
    ],
)
def test_shares_grow_up_to_production(shares: tuple[int, ...], good: bool) -> None:
    assert (steps.fault([Step(share) for share in shares]) is None) == good


def test_a_deadline_is_after_the_duration() -> None:
    said = steps.fault([Step(5, minutes=10, deadline_minutes=10), Step(100)])

    assert said == "The step of 5 % has its deadline before it is over."


def test_steps_survive_their_writing() -> None:
    assert steps.read(steps.written(steps.DEFAULT)) == steps.DEFAULT
