"""A model goes from development to production, and every condition of the gates stops it once."""

from __future__ import annotations

import pytest

from tests.flows import files
from tests.people import People

HALF_A_YEAR_PASSES = """
alter table governance_approval disable trigger only_withdrawn;
update governance_approval set signed_at = signed_at - interval '181 days',
    expires_at = expires_at - interval '181 days'
    where version_id = (select id from registry_modelversion where model_id = '{}');
alter table governance_approval enable always trigger only_withdrawn;
"""


@pytest.fixture
def sandboxed(people: People) -> str:
    """A version in sandbox, of tier medium, that nobody has reviewed."""
    model_id = people.register()
    people.move(model_id, "sandbox")
    return model_id


def blocked_by(blockers: list[str], *expected: str) -> bool:
    """Whether each blocker says what is expected, and there is no other."""
    assert len(blockers) == len(expected), blockers
    unsaid = [e for e, said in zip(expected, blockers, strict=True) if e not in said]
    assert unsaid == [], blockers
    return True


def test_a_reviewed_model_goes_all_the_way(people: People, sandboxed: str) -> None:
    assert blocked_by(
        people.blockers(sandboxed, "canary"),
        "The constitutional compliance check is not settled",
        "The bias check is not settled",
        "0 of 1 signatures for canary",
    )

    people.review(sandboxed, by="rita", constitutional_compliance=True)
    assert blocked_by(
        people.blockers(sandboxed, "canary"), "The bias check is not settled", "0 of 1 signatures"
    )

    people.review(sandboxed, by="rita", bias_check_passed=True)
    assert people.move(sandboxed, "canary")["canary_percentage"] == 10.0
    assert blocked_by(
        people.blockers(sandboxed, "production"), "The canary has not proven itself: no data on 0"
    )

    people.report(sandboxed)
    assert people.move(sandboxed, "production")["status"] == "production"


def test_a_check_that_failed_closes_the_gate(people: People, sandboxed: str) -> None:
    people.review(sandboxed, by="rita")

    people.review(sandboxed, by="ruth", bias_check_passed=False)

    assert blocked_by(people.blockers(sandboxed, "canary"), "The bias check is fail, says ruth")


def test_a_withdrawn_signature_does_not_count(people: People, sandboxed: str) -> None:
    people.review(sandboxed, by="rita")
    people.review(sandboxed, by="rita", bias_check_passed=False)

    people.review(sandboxed, by="ruth", bias_check_passed=True)

    assert blocked_by(
        people.blockers(sandboxed, "canary"),
        "0 of 1 signatures for canary (rita has withdrawn the signature)",
    )


def test_an_expired_signature_does_not_count(people: People, sandboxed: str) -> None:
    people.review(sandboxed, by="rita")

    people.execute(HALF_A_YEAR_PASSES.format(sandboxed), role="assay_migrator")

    assert blocked_by(
        people.blockers(sandboxed, "canary"), "0 of 1 signatures for canary (the signature of rita"
    )


def test_what_changed_since_must_be_reviewed_again(people: People, sandboxed: str) -> None:
    people.review(sandboxed, by="rita")

    people.upload(f"models/{sandboxed}/artifact", b"other weights")

    assert blocked_by(
        people.blockers(sandboxed, "canary"),
        "The artifact changed since rita settled the constitutional compliance check",
        "The artifact changed since rita settled the bias check",
        "0 of 1 signatures for canary (the artifact changed since rita signed)",
    )
    people.review(sandboxed, by="rita")
    assert people.move(sandboxed, "canary")["status"] == "canary"


def test_the_models_own_people_do_not_review_it(people: People) -> None:
    model_id = people.register(owner="rita")
    people.move(model_id, "sandbox")

    tick = {"metadata": {"bias_check_passed": True}}
    refusal = people.ask("rita", "PATCH", f"models/{model_id}", tick, expect=403)

    assert "rita is one of its own people (owner)" in refusal["detail"]
    assert len(people.blockers(model_id, "canary")) == 3


def test_who_joins_the_models_own_people_has_not_approved_it(
    people: People, sandboxed: str
) -> None:
    people.review(sandboxed, by="rita")

    people.ask("tom", "PATCH", f"models/{sandboxed}", {"owner": "rita"})

    assert blocked_by(
        people.blockers(sandboxed, "canary"),
        "The constitutional compliance check was settled by rita, one of the model's own people",
        "The bias check was settled by rita, one of the model's own people",
        "0 of 1 signatures for canary (rita is one of the model's own people now)",
    )


def test_a_canary_that_is_only_watched_is_not_proven(people: People) -> None:
    model_id = people.in_canary()

    people.report(model_id, num_requests=150)  # enough for the error rate, not for the drift

    assert blocked_by(
        people.blockers(model_id, "production"),
        "The canary has not proven itself: watch on 150 requests",
    )


def test_a_tick_does_not_override_measured_bias(people: People, sandboxed: str) -> None:
    evaluation = people.evaluate(sandboxed, fair=False)
    assert (evaluation["state"], evaluation["results"]["bias"]["verdict"]) == ("done", "fail")

    people.review(sandboxed, by="rita")

    assert blocked_by(people.blockers(sandboxed, "canary"), "Measured bias fails")


def test_a_model_of_tier_high_needs_evidence_and_two_people_for_each_stage(people: People) -> None:
    model_id = people.register(risk_tier="high")
    people.move(model_id, "sandbox")
    unsettled = (
        "The constitutional compliance check is not settled",
        "The bias check is not settled",
        "0 of 2 signatures for canary",
    )
    unknown = "Tier high needs bias measured as pass, and it is unknown"
    assert blocked_by(
        people.blockers(model_id, "canary"), *unsettled, "needs the artifact: upload it", unknown
    )

    people.upload(f"models/{model_id}/artifact", files.model())
    assert blocked_by(people.blockers(model_id, "canary"), *unsettled, unknown)

    assert people.evaluate(model_id, fair=True)["results"]["bias"]["verdict"] == "pass"
    assert blocked_by(people.blockers(model_id, "canary"), *unsettled)

    tick = {"metadata": {"bias_check_passed": True}}
    refusal = people.ask("rita", "PATCH", f"models/{model_id}", tick, expect=403)
    assert "reviewed in the console only" in refusal["detail"]

    people.review_in_console(model_id, by="rita", scope="canary")
    another = "1 of 2 signatures for canary"
    assert blocked_by(people.blockers(model_id, "canary"), another)
    people.review_in_console(model_id, by="ruth", scope="canary")
    assert blocked_by(people.blockers(model_id, "canary"), another)
    people.review_in_console(model_id, by="rob", scope="canary")
    assert people.move(model_id, "canary", canary_percentage=5)["canary_percentage"] == 5.0

    people.report(model_id)
    assert blocked_by(people.blockers(model_id, "production"), "0 of 2 signatures for production")
    people.review_in_console(model_id, by="ruth", scope="production")
    people.review_in_console(model_id, by="rob", scope="production")
    assert people.move(model_id, "production")["status"] == "production"
