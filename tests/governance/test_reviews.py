"""Settling checks, signing, withdrawing: one reviewer's word about one subject."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance import flags, reviews, subjects
from governance.models import Approval, Check, CheckResult, CheckVerdict, Scope
from governance.signatures import Signing
from registry.actors import actor_of
from registry.errors import Conflict, InvalidInput, NotAllowed
from registry.models import Artifact, Event, ModelVersion, Part, RiskTier
from tests.governance.makers import settle_both, write_approval

PASS, FAIL, UNKNOWN = CheckVerdict.PASS, CheckVerdict.FAIL, CheckVerdict.UNKNOWN
WORDS = Signing(printed_name="Ada Lovelace", meaning="I approve it")

pytestmark = pytest.mark.django_db


def settle(version: ModelVersion, check: Check, reviewer: User, **more: Any) -> CheckResult:
    verdict = more.pop("verdict", PASS)
    return reviews.settle_check(version, check, verdict=verdict, reviewer=reviewer, **more)


def test_a_settled_check_is_kept_with_what_the_reviewer_saw(
    version: ModelVersion, ada: User
) -> None:
    result = settle(version, Check.BIAS, ada, note="Looked at the cohort.")

    assert (result.verdict, result.reviewer) == (PASS, ada)
    assert result.subject_digest == subjects.of(version).digest
    assert result.subject == dict(subjects.of(version).parts)
    assert str(result.remark) == "Looked at the cohort."
    assert str(result) == f"{version}: bias pass"


def test_settling_is_on_record_without_the_words(version: ModelVersion, ada: User) -> None:
    settle(version, Check.BIAS, ada, note="Looked at the cohort.")

    event = Event.objects.get(event_type="check.settled")
    assert event.actor == actor_of(ada)
    assert event.payload["check"] == "bias"
    assert event.payload["verdict"] == "pass"
    assert "cohort" not in str(event.payload)


def test_one_tick_is_no_approval(version: ModelVersion, ada: User) -> None:
    settle(version, Check.BIAS, ada)

    assert not Approval.objects.exists()


@pytest.mark.parametrize("order", [list(Check), list(reversed(Check))])
def test_the_second_pass_of_one_reviewer_is_the_approval(
    version: ModelVersion, ada: User, order: list[Check]
) -> None:
    for check in order:
        settle(version, check, ada)

    approval = Approval.objects.get()
    assert (approval.approver, approval.role, approval.scope) == (ada, "reviewer", "serving")
    assert (approval.printed_name, approval.meaning) == ("ada", "Both checks pass")
    assert approval.subject_digest == subjects.of(version).digest
    assert Event.objects.get(event_type="approval.given").payload["approval_id"] == approval.pk


def test_an_approval_is_printed_with_the_full_name(version: ModelVersion, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(first_name="Ada", last_name="Lovelace")
    ada.refresh_from_db()

    settle_both(version, ada)

    assert str(Approval.objects.get()) == f"Ada Lovelace approves {version} for serving"


def test_two_reviewers_with_one_tick_each_approve_nothing(
    version: ModelVersion, ada: User, rob: User
) -> None:
    settle(version, Check.BIAS, ada)
    settle(version, Check.CONSTITUTIONAL_COMPLIANCE, rob)

    assert not Approval.objects.exists()


def test_two_passes_of_different_subjects_approve_nothing(
    version: ModelVersion, ada: User, upload: Callable[..., Artifact]
) -> None:
    settle(version, Check.BIAS, ada)
    upload(version)
    settle(version, Check.CONSTITUTIONAL_COMPLIANCE, ada)

    assert not Approval.objects.exists()


def test_a_pass_beside_a_fail_approves_nothing(version: ModelVersion, ada: User) -> None:
    settle(version, Check.BIAS, ada, verdict=FAIL)
    settle(version, Check.CONSTITUTIONAL_COMPLIANCE, ada)

    assert not Approval.objects.exists()


def test_ticking_again_leaves_one_approval(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)
    settle_both(version, ada)

    assert Approval.objects.count() == 1
    assert CheckResult.objects.count() == 4


@pytest.mark.parametrize("verdict", [FAIL, UNKNOWN, CheckVerdict.NOT_APPLICABLE])
def test_ones_own_later_doubt_withdraws_ones_signature(
    version: ModelVersion, ada: User, verdict: CheckVerdict
) -> None:
    settle_both(version, ada)

    settle(version, Check.BIAS, ada, verdict=verdict)

    approval = Approval.objects.get()
    assert approval.withdrawn_at is not None
    assert approval.withdrawn_by == actor_of(ada)
    assert Event.objects.filter(event_type="approval.withdrawn").count() == 1


def test_anothers_doubt_leaves_a_signature(version: ModelVersion, ada: User, rob: User) -> None:
    settle_both(version, ada)

    settle(version, Check.BIAS, rob, verdict=FAIL)

    assert Approval.objects.get().withdrawn_at is None


@pytest.mark.parametrize(("risk", "days"), [("low", 365), ("medium", 180)])
def test_an_approval_is_good_for_as_long_as_the_tier_says(
    version: ModelVersion, ada: User, tier: Callable[[RiskTier], None], risk: str, days: int
) -> None:
    tier(RiskTier(risk))

    settle_both(version, ada)

    approval = Approval.objects.get()
    assert approval.expires_at is not None
    lasts = approval.expires_at - approval.signed_at
    assert abs(lasts - timedelta(days=days)) < timedelta(seconds=5)


def test_ticks_at_tier_high_are_no_signature(
    version: ModelVersion, ada: User, tier: Callable[[RiskTier], None]
) -> None:
    tier(RiskTier.HIGH)

    settle_both(version, ada)

    assert not Approval.objects.exists()


def test_tier_high_is_reviewed_in_the_console_only(
    version: ModelVersion, ada: User, tier: Callable[[RiskTier], None]
) -> None:
    tier(RiskTier.HIGH)

    for call in (
        lambda: settle(version, Check.BIAS, ada),
        lambda: reviews.sign(version, reviewer=ada, printed_name="A", meaning="B"),
        lambda: reviews.settle_and_sign(version, verdicts={}, reviewer=ada, signing=WORDS),
    ):
        with pytest.raises(NotAllowed, match=f"/admin/governance/review/{version.model_id}/"):
            call()

    assert not CheckResult.objects.exists()


@pytest.mark.parametrize("scope", [Scope.CANARY, Scope.PRODUCTION])
def test_at_tier_high_a_signature_covers_one_stage(
    version: ModelVersion, rob: User, tier: Callable[[RiskTier], None], scope: Scope
) -> None:
    tier(RiskTier.HIGH)

    approval = reviews.sign(
        version, reviewer=rob, printed_name="Rob", meaning="Yes", scope=scope, console=True
    )

    assert (approval.scope, approval.role) == (scope, "risk_officer")
    assert approval.subject_digest == subjects.of(version, scope).digest


@pytest.mark.parametrize("scope", [None, Scope.SERVING])
def test_at_tier_high_a_signature_names_its_stage(
    version: ModelVersion, ada: User, tier: Callable[[RiskTier], None], scope: Scope | None
) -> None:
    tier(RiskTier.HIGH)

    with pytest.raises(InvalidInput, match="sign for canary or production"):
        reviews.sign(
            version, reviewer=ada, printed_name="Ada", meaning="Yes", scope=scope, console=True
        )


def test_at_tier_medium_a_signature_covers_all_live_traffic(
    version: ModelVersion, ada: User
) -> None:
    with pytest.raises(InvalidInput, match="sign for serving"):
        reviews.sign(version, reviewer=ada, printed_name="A", meaning="B", scope=Scope.CANARY)


@pytest.mark.parametrize("missing", ["printed_name", "meaning"])
def test_a_signature_says_whose_it_is_and_what_it_means(
    version: ModelVersion, ada: User, missing: str
) -> None:
    words: dict[str, Any] = {"printed_name": "Ada", "meaning": "Yes"} | {missing: "  "}

    with pytest.raises(InvalidInput) as refusal:
        reviews.sign(version, reviewer=ada, **words)

    assert [error.pointer for error in refusal.value.errors] == [f"/{missing}"]


def test_a_role_one_does_not_hold_cannot_be_signed_in(version: ModelVersion, ada: User) -> None:
    with pytest.raises(InvalidInput, match="ada may sign as reviewer"):
        reviews.sign(version, reviewer=ada, printed_name="A", meaning="B", role="risk_officer")


def test_a_role_that_is_held_can_be_chosen(
    version: ModelVersion, user_with: Callable[..., User]
) -> None:
    both = user_with("reviewer", "risk_officer", username="bea")

    approval = reviews.sign(
        version, reviewer=both, printed_name="Bea", meaning="Yes", role="risk_officer"
    )

    assert approval.role == "risk_officer"


def test_who_holds_both_roles_signs_in_the_one_that_is_still_wanted(
    version: ModelVersion,
    ada: User,
    user_with: Callable[..., User],
    tier: Callable[[RiskTier], None],
) -> None:
    tier(RiskTier.HIGH)
    both = user_with("reviewer", "risk_officer", username="bea")

    roles = [
        reviews.sign(
            version,
            reviewer=signer,
            printed_name="X",
            meaning="Yes",
            scope=Scope.CANARY,
            console=True,
        ).role
        for signer in (ada, both)
    ]

    assert roles == ["reviewer", "risk_officer"]


def test_signing_the_same_twice_changes_nothing(version: ModelVersion, ada: User) -> None:
    first = reviews.sign(version, reviewer=ada, printed_name="Ada", meaning="Yes")
    again = reviews.sign(version, reviewer=ada, printed_name="A.", meaning="Sure")

    assert again == first
    assert Event.objects.filter(event_type="approval.given").count() == 1


def test_an_expired_signature_is_signed_anew(version: ModelVersion, ada: User) -> None:
    old = write_approval(version, ada, expires_at=timezone.now() - timedelta(days=1))

    new = reviews.sign(version, reviewer=ada, printed_name="Ada", meaning="Yes")

    old.refresh_from_db()
    assert old.withdrawn_at is not None
    assert new.pk != old.pk
    assert new.expires_at is not None
    assert new.expires_at > timezone.now()


def test_settling_and_signing_is_one_decision(version: ModelVersion, ada: User) -> None:
    review = reviews.settle_and_sign(
        version, verdicts=dict.fromkeys(Check, PASS), reviewer=ada, signing=WORDS
    )

    assert [result.verdict for result in review.results] == [PASS, PASS]
    assert review.approval == Approval.objects.get()
    assert review.approval.printed_name == "Ada Lovelace"


def test_with_a_fail_there_is_nothing_to_sign(version: ModelVersion, ada: User) -> None:
    review = reviews.settle_and_sign(
        version,
        verdicts={Check.CONSTITUTIONAL_COMPLIANCE: PASS, Check.BIAS: FAIL},
        reviewer=ada,
        signing=WORDS,
    )

    assert review.approval is None
    assert not Approval.objects.exists()
    assert CheckResult.objects.count() == 2


def test_a_second_signer_may_rest_on_checks_that_stand(
    version: ModelVersion, ada: User, rob: User
) -> None:
    settle_both(version, ada)

    review = reviews.settle_and_sign(version, verdicts={}, reviewer=rob, signing=WORDS)

    assert review.results == ()
    assert review.approval is not None
    assert review.approval.approver == rob


def test_what_was_never_settled_cannot_be_signed(version: ModelVersion, ada: User) -> None:
    with pytest.raises(Conflict, match="Settle the bias check too"):
        reviews.settle_and_sign(
            version, verdicts={Check.CONSTITUTIONAL_COMPLIANCE: PASS}, reviewer=ada, signing=WORDS
        )

    assert not CheckResult.objects.exists()


def test_a_pass_of_a_former_subject_cannot_be_rested_on(
    version: ModelVersion, ada: User, rob: User, upload: Callable[..., Artifact]
) -> None:
    settle_both(version, ada)
    upload(version)

    with pytest.raises(Conflict, match="constitutional compliance and the bias check"):
        reviews.settle_and_sign(version, verdicts={}, reviewer=rob, signing=WORDS)


def test_ones_own_signature_can_be_withdrawn(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    approval = reviews.withdraw(Approval.objects.get(), reviewer=ada, reason="I was mistaken.")

    event = Event.objects.get(event_type="approval.withdrawn")
    assert approval.withdrawn_at is not None
    assert str(event.remark) == "I was mistaken."


def test_withdrawing_twice_changes_nothing(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)
    first = reviews.withdraw(Approval.objects.get(), reviewer=ada)

    again = reviews.withdraw(first, reviewer=ada)

    assert again.withdrawn_at == first.withdrawn_at
    assert Event.objects.filter(event_type="approval.withdrawn").count() == 1


def test_nobody_withdraws_anothers_signature(version: ModelVersion, ada: User, rob: User) -> None:
    settle_both(version, ada)

    with pytest.raises(NotAllowed, match="Only ada may withdraw this signature"):
        reviews.withdraw(Approval.objects.get(), reviewer=rob)


def test_who_asks_for_a_review_is_one_of_the_models_own_people(
    version: ModelVersion, ada: User
) -> None:
    event = reviews.request_review(version, requester=ada, note="Please look at group 9.")

    assert event.event_type == "model.review.requested"
    assert str(event.remark) == "Please look at group 9."
    assert version.stakeholders.filter(user=ada, part=Part.REQUESTER).exists()
    with pytest.raises(NotAllowed, match="requester"):
        settle(version, Check.BIAS, ada)


def test_a_review_moves_the_flags(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    assert flags.entry_part([version])[version.pk] == {
        "constitutional_compliance": True,
        "bias_check_passed": True,
    }
