"""Each condition of a gate, alone: deleting any of them fails a test here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import conditions
from governance.conditions import Demands, Health, Settled, Signature, Situation
from governance.measured import Bias

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ROLES = ("reviewer", "risk_officer")
MEDIUM = Demands(
    tier="medium",
    quorum=1,
    roles=ROLES,
    distinct_roles=False,
    artifact_required=False,
    evidence_required=False,
)
HIGH = Demands(
    tier="high",
    quorum=2,
    roles=ROLES,
    distinct_roles=True,
    artifact_required=True,
    evidence_required=True,
)
PASSED = Settled("pass", "ada")
ADA = Signature("ada", "user:1", "reviewer", expires_at=NOW + timedelta(days=1))
ROB = Signature("rob", "user:2", "risk_officer", expires_at=NOW + timedelta(days=1))
OPEN = Situation(
    stage="canary",
    now=NOW,
    demands=MEDIUM,
    checks={"constitutional_compliance": PASSED, "bias": PASSED},
    signatures=(ADA,),
    artifact_digest="",
    bias=Bias("unknown", ("Nothing was measured.",), measured=False),
    canary=None,
)
OPEN_HIGH = replace(
    OPEN,
    demands=HIGH,
    signatures=(ADA, ROB),
    artifact_digest="a" * 64,
    bias=Bias("pass", ("Within the bound.",), measured=True),
)
HEALTHY = Health("ok", requests=100, min_requests=100, minutes=10)


@pytest.mark.parametrize("situation", [OPEN, OPEN_HIGH, replace(OPEN, canary=HEALTHY)])
def test_a_gate_without_blockers_is_open(situation: Situation) -> None:
    assert conditions.blockers(situation) == []


def settled(**changes: Any) -> dict[str, Settled | None]:
    return {**OPEN.checks, **changes}


ALONE: dict[str, tuple[Situation, str]] = {
    "checks_passed": (
        replace(OPEN, checks=settled(bias=None)),
        "The bias check is not settled: a reviewer settles it on the review page.",
    ),
    "signatures_given": (
        replace(OPEN, signatures=()),
        "0 of 1 signatures for canary: a reviewer or a risk officer signs on the review page.",
    ),
    "bias_not_failed": (
        replace(OPEN, bias=Bias("fail", ("Group 9 is at 0.689.",), measured=True)),
        (
            "Measured bias fails: Group 9 is at 0.689. A tick cannot override it: register a version "
            "that treats the groups alike."
        ),
    ),
    "artifact_held": (
        replace(OPEN_HIGH, artifact_digest=""),
        "Tier high needs the artifact: upload it.",
    ),
    "evidence_measured": (
        replace(OPEN_HIGH, bias=Bias("unknown", ("Too few rows.",), measured=True)),
        (
            "Tier high needs bias measured as pass, and it is unknown: Too few rows. Run a gate "
            "evaluation with protected attributes on enough rows."
        ),
    ),
    "canary_healthy": (
        replace(OPEN, stage="production", canary=replace(HEALTHY, verdict="watch")),
        (
            "The canary has not proven itself: watch on 100 requests in the last 10 minutes, where ok "
            "on 100 is needed. Keep it in canary and record how it does."
        ),
    ),
    "not_frozen": (
        replace(OPEN, frozen_by="model_rollback #7"),
        (
            "The playbook run model_rollback #7 holds promotions of this model until it is through: "
            "wait for it, or see on its page what it waits for."
        ),
    ),
}


def test_every_condition_has_a_situation_that_only_it_blocks() -> None:
    assert list(ALONE) == [condition.__name__ for condition in conditions.CONDITIONS]


@pytest.mark.parametrize("name", ALONE)
def test_a_condition_alone_closes_the_gate(name: str) -> None:
    situation, blocker = ALONE[name]

    assert conditions.blockers(situation) == [blocker]


def test_every_blocker_is_named_at_once() -> None:
    situation = replace(
        OPEN_HIGH,
        stage="production",
        checks={"constitutional_compliance": None, "bias": Settled("fail", "ada")},
        signatures=(),
        artifact_digest="",
        bias=Bias("unknown", (), measured=False),
        canary=Health("no_data", 0, 100, 10),
    )

    found = conditions.blockers(situation)

    assert [sentence.split()[0] for sentence in found] == ["The", "The", "0", "Tier", "Tier", "The"]


@pytest.mark.parametrize(
    ("latest", "sentence"),
    [
        (
            Settled("fail", "ada"),
            "The bias check is fail, says ada: mend what was found and have it settled again.",
        ),
        (
            Settled("unknown", "ada"),
            "The bias check is unknown, says ada: mend what was found and have it settled again.",
        ),
        (
            Settled("not_applicable", "ada"),
            (
                "The bias check is not applicable, says ada: mend what was found and have it settled "
                "again."
            ),
        ),
        (
            Settled("pass", "ada", changes=("artifact",)),
            "The artifact changed since ada settled the bias check: a reviewer settles it again.",
        ),
        (
            Settled("pass", "ada", changes=("artifact", "gate evaluation", "constitution")),
            (
                "The artifact, gate evaluation and constitution changed since ada settled the bias "
                "check: a reviewer settles it again."
            ),
        ),
        (
            Settled("pass", "ada", own_person=True),
            (
                "The bias check was settled by ada, one of the model's own people now: another "
                "reviewer settles it."
            ),
        ),
    ],
)
def test_only_a_pass_of_this_subject_by_somebody_else_counts(
    latest: Settled, sentence: str
) -> None:
    situation = replace(OPEN, checks=settled(bias=latest))

    assert conditions.blockers(situation) == [sentence]


@pytest.mark.parametrize(
    ("signature", "flaw"),
    [
        (replace(ADA, withdrawn=True), "ada has withdrawn the signature"),
        (replace(ADA, own_person=True), "ada is one of the model's own people now"),
        (replace(ADA, changes=("artifact",)), "the artifact changed since ada signed"),
        (replace(ADA, expires_at=NOW), "the signature of ada expired on 2026-01-31"),
    ],
)
def test_a_signature_that_does_not_count_says_why(signature: Signature, flaw: str) -> None:
    situation = replace(OPEN, signatures=(signature,))

    assert conditions.blockers(situation) == [
        (
            f"0 of 1 signatures for canary ({flaw}): a reviewer or a risk officer signs on the review "
            "page."
        )
    ]


def test_a_signature_counts_to_its_last_moment() -> None:
    lasting = replace(ADA, expires_at=NOW + timedelta(microseconds=1))

    assert conditions.blockers(replace(OPEN, signatures=(lasting,))) == []


def test_a_signature_in_a_role_the_tier_does_not_take_is_not_counted() -> None:
    odd = replace(ADA, role="operator")

    assert conditions.counted(replace(OPEN, signatures=(odd,))) == []


def test_at_tier_high_two_signatures_of_one_role_are_one() -> None:
    bea = Signature("bea", "user:3", "reviewer")

    blockers = conditions.blockers(replace(OPEN_HIGH, signatures=(ADA, bea)))

    assert blockers == [
        "1 of 2 signatures for canary: a risk officer other than ada signs on the review page."
    ]


def test_one_person_is_one_signature_whatever_the_roles() -> None:
    again = replace(ADA, role="risk_officer")

    blockers = conditions.blockers(replace(OPEN_HIGH, signatures=(ADA, again)))

    assert blockers == [
        "1 of 2 signatures for canary: a risk officer other than ada signs on the review page."
    ]


@pytest.mark.parametrize("signatures", list(permutations([ADA, ROB, replace(ROB, withdrawn=True)])))
def test_the_order_of_signatures_does_not_matter(signatures: tuple[Signature, ...]) -> None:
    assert conditions.blockers(replace(OPEN_HIGH, signatures=signatures)) == []


@pytest.mark.parametrize(
    "health",
    [
        replace(HEALTHY, verdict="no_data", requests=0),
        replace(HEALTHY, verdict="rollback"),
        replace(HEALTHY, requests=99),
    ],
)
def test_production_needs_a_canary_that_is_ok_on_enough_requests(health: Health) -> None:
    blockers = conditions.blockers(replace(OPEN, stage="production", canary=health))

    assert len(blockers) == 1
    assert f"on {health.requests} requests" in blockers[0]


def test_an_unproven_canary_says_which_triggers_hold_it_back() -> None:
    health = replace(HEALTHY, verdict="rollback", reasons=("error rate 6 % > 5 %",))

    (blocker,) = conditions.blockers(replace(OPEN, stage="production", canary=health))

    assert "is needed: error rate 6 % > 5 %. Keep it" in blocker


def test_a_measured_fail_closes_every_tier_and_is_said_once() -> None:
    failed = Bias("fail", ("Group 9 is at 0.689.",), measured=True)

    assert len(conditions.blockers(replace(OPEN, bias=failed))) == 1
    assert len(conditions.blockers(replace(OPEN_HIGH, bias=failed))) == 1


def test_at_tier_medium_unmeasured_bias_is_left_to_people() -> None:
    for verdict in ("unknown", "not_applicable"):
        assert conditions.blockers(replace(OPEN, bias=Bias(verdict, (), measured=True))) == []


verdicts = st.sampled_from(["pass", "fail", "unknown", "not_applicable"])
anybody = st.builds(
    Signature,
    by=st.just("somebody"),
    actor=st.sampled_from([f"user:{n}" for n in range(5)]),
    role=st.sampled_from([*ROLES, "operator"]),
    expires_at=st.one_of(st.none(), st.datetimes().map(lambda at: at.replace(tzinfo=UTC))),
    withdrawn=st.booleans(),
    changes=st.sampled_from([(), ("artifact",)]),
    own_person=st.booleans(),
)


@given(st.lists(anybody, max_size=8), st.sampled_from([MEDIUM, HIGH]))
def test_what_counts_is_valid_distinct_and_of_fitting_roles(
    signatures: list[Signature], demands: Demands
) -> None:
    situation = replace(OPEN, demands=demands, signatures=tuple(signatures))

    counted = conditions.counted(situation)

    assert all(signature.flaw(NOW) is None for signature in counted)
    assert len({signature.actor for signature in counted}) == len(counted)
    assert {signature.role for signature in counted} <= set(ROLES)
    if demands.distinct_roles:
        assert len({signature.role for signature in counted}) == len(counted)


@given(verdicts, verdicts, verdicts)
def test_a_gate_opens_only_on_two_passes_and_no_measured_fail(
    compliance: str, bias: str, found: Any
) -> None:
    checks = {
        "constitutional_compliance": Settled(compliance, "ada"),
        "bias": Settled(bias, "ada"),
    }
    situation = replace(OPEN, checks=checks, bias=Bias(found, (), measured=True))

    is_open = conditions.blockers(situation) == []

    assert is_open == (compliance == bias == "pass" and found != "fail")
