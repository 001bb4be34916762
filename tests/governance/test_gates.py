"""The gate weighs what is true at that moment; each thing it gathers can close it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance import constitution, gates, reviews, subjects
from governance.models import Approval, Check, CheckVerdict, Scope
from monitoring import policies
from monitoring.models import Evaluation
from registry import registration
from registry.actors import actor_of
from registry.errors import PromotionBlocked
from registry.models import (
    Artifact,
    Attestation,
    DeploymentStage,
    ModelFamily,
    ModelVersion,
    Part,
    RiskTier,
)
from tests.governance.makers import (
    approve_high,
    record_traffic,
    settle_both,
    write_approval,
)

CANARY, PRODUCTION = DeploymentStage.CANARY, DeploymentStage.PRODUCTION

pytestmark = pytest.mark.django_db


def blockers(version: ModelVersion, stage: DeploymentStage = CANARY) -> list[str]:
    version.refresh_from_db()
    return gates.blockers(version, stage, now=timezone.now())


def starts(found: list[str]) -> list[str]:
    """The first words of each blocker, enough to tell which it is."""
    return [" ".join(sentence.split()[:4]) for sentence in found]


def test_a_version_nobody_has_looked_at_has_three_blockers(version: ModelVersion) -> None:
    assert starts(blockers(version)) == [
        "The constitutional compliance check",
        "The bias check is",
        "0 of 1 signatures",
    ]


def test_one_reviewers_ticks_open_the_gate_at_tier_medium(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    assert blockers(version) == []


def test_an_attestation_says_what_was_approved_and_by_whom(
    version: ModelVersion, ada: User, upload: Callable[..., Artifact]
) -> None:
    upload(version)
    settle_both(version, ada)

    attestation = gates.attest(version, CANARY, now=timezone.now())

    assert (attestation.version, attestation.stage) == (version, "canary")
    assert attestation.subject_digest == subjects.of(version).digest
    assert attestation.artifact_sha256 == "a" * 64
    assert attestation.approved_by == [actor_of(ada)]
    assert attestation.checks == {"constitutional_compliance": "pass", "bias": "pass"}


def test_a_closed_gate_writes_nothing_and_names_everything(version: ModelVersion) -> None:
    with pytest.raises(PromotionBlocked) as refusal:
        gates.attest(version, CANARY, now=timezone.now())

    assert refusal.value.blockers == blockers(version)
    assert len(refusal.value.blockers) == 3
    assert not Attestation.objects.exists()


def test_a_signature_covers_both_live_stages(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)
    record_traffic(version)

    assert blockers(version, CANARY) == []


def test_the_latest_result_counts(version: ModelVersion, ada: User, rob: User) -> None:
    settle_both(version, ada)
    reviews.settle_check(version, Check.BIAS, verdict=CheckVerdict.UNKNOWN, reviewer=rob)

    assert blockers(version) == [
        "The bias check is unknown, says rob: mend what was found and have it settled again."
    ]


def test_a_new_artifact_closes_the_gate_and_is_named(
    version: ModelVersion, ada: User, upload: Callable[..., Artifact]
) -> None:
    upload(version, "a")
    settle_both(version, ada)

    upload(version, "b")

    found = blockers(version)
    assert starts(found) == ["The artifact changed since"] * 2 + ["0 of 1 signatures"]
    assert "(the artifact changed since ada signed)" in found[2]


def test_new_evidence_closes_the_gate_and_is_named(
    version: ModelVersion, ada: User, evaluate: Callable[..., Evaluation]
) -> None:
    evaluate(version, digit="1")
    settle_both(version, ada)

    evaluate(version, digit="2")

    assert starts(blockers(version))[0] == "The gate evaluation changed"


def test_a_scheduled_measurement_leaves_the_gate_open(
    version: ModelVersion, ada: User, evaluate: Callable[..., Evaluation]
) -> None:
    evaluate(version, digit="1")
    settle_both(version, ada)

    evaluate(version, digit="2", kind="scheduled")

    assert blockers(version) == []


def test_a_new_constitution_closes_the_gate_and_is_named(
    version: ModelVersion, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_both(version, ada)
    amended = replace(constitution.current(), version="2")

    monkeypatch.setattr(constitution, "current", lambda: amended)

    assert starts(blockers(version))[0] == "The constitution changed since"


def test_a_new_policy_closes_the_gate_and_is_named(
    version: ModelVersion, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_both(version, ada)
    amended = replace(constitution.current(), policy_digest="0" * 64)

    monkeypatch.setattr(constitution, "current", lambda: amended)

    assert starts(blockers(version))[0] == "The policy or risk"


def test_new_training_data_closes_the_gate_and_is_named(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    ModelVersion.objects.filter(pk=version.pk).update(training_data_hash="other")

    assert starts(blockers(version))[0] == "The training data changed"


def test_another_description_leaves_the_gate_open(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    registration.amend(version, {"description": "Better words."}, actor="user:1")

    assert blockers(version) == []


def test_an_expired_signature_closes_the_gate(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)
    last = Approval.objects.get().expires_at
    assert last is not None

    before = gates.blockers(version, CANARY, now=last - timedelta(seconds=1))
    after = gates.blockers(version, CANARY, now=last)

    assert before == []
    assert starts(after) == ["0 of 1 signatures"]
    assert "expired on" in after[0]


def test_a_withdrawn_signature_closes_the_gate(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    reviews.withdraw(Approval.objects.get(), reviewer=ada)

    found = blockers(version)
    assert starts(found) == ["0 of 1 signatures"]
    assert "ada has withdrawn the signature" in found[0]


def test_a_signer_who_becomes_an_owner_does_not_count(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    registration.amend(version, {"owner": "ada"}, actor="user:1")

    found = blockers(version)
    assert len(found) == 3
    assert "ada, one of the model's own people now" in found[0]
    assert "(ada is one of the model's own people now)" in found[2]


def test_a_signer_who_joins_the_owning_group_does_not_count(
    version: ModelVersion, ada: User
) -> None:
    settle_both(version, ada)
    registration.join(version, Part.OWNER, name="reviewer")

    assert len(blockers(version)) == 3


def test_another_reviewer_mends_what_an_owner_may_not(
    version: ModelVersion, ada: User, rob: User
) -> None:
    settle_both(version, ada)
    registration.amend(version, {"owner": "ada"}, actor="user:1")

    settle_both(version, rob)

    assert blockers(version) == []


def test_a_measured_fail_cannot_be_ticked_away(
    version: ModelVersion, ada: User, evaluate: Callable[..., Evaluation]
) -> None:
    evaluate(version, verdict="fail")
    settle_both(version, ada)

    found = blockers(version)

    assert len(found) == 1
    assert found[0].startswith("Measured bias fails: The impact ratio of Two or more is 0.689")


@pytest.mark.parametrize("verdict", ["pass", "unknown"])
def test_other_measured_verdicts_are_left_to_people_at_tier_medium(
    version: ModelVersion, ada: User, evaluate: Callable[..., Evaluation], verdict: str
) -> None:
    evaluate(version, verdict=verdict)
    settle_both(version, ada)

    assert blockers(version) == []


@pytest.fixture
def high(
    version: ModelVersion, tier: Callable[[RiskTier], None], evaluate: Callable[..., Evaluation]
) -> ModelVersion:
    """A version of tier high with an artifact and measured evidence that passes."""
    tier(RiskTier.HIGH)
    evaluate(version)
    return version


def test_at_tier_high_two_roles_open_one_stage(high: ModelVersion, ada: User, rob: User) -> None:
    approve_high(high, Scope.CANARY, ada, rob)

    assert blockers(high, CANARY) == []
    assert starts(blockers(high, PRODUCTION))[0] == "0 of 2 signatures"


def test_at_tier_high_signing_for_production_leaves_canary_signed(
    high: ModelVersion, ada: User, rob: User
) -> None:
    approve_high(high, Scope.CANARY, ada, rob)
    approve_high(high, Scope.PRODUCTION, ada, rob)

    assert blockers(high, CANARY) == []


def test_what_was_signed_counts_again_once_it_is_what_is_there_again(
    version: ModelVersion, ada: User, tier: Callable[[RiskTier], None]
) -> None:
    settle_both(version, ada)
    tier(RiskTier.LOW)
    settle_both(version, ada)
    lowered = blockers(version)

    tier(RiskTier.MEDIUM)
    before = blockers(version)
    settle_both(version, ada)

    assert lowered == []
    assert starts(before) == ["The policy or risk"] * 2
    assert blockers(version) == []


def test_at_tier_high_both_signers_are_attested(high: ModelVersion, ada: User, rob: User) -> None:
    approve_high(high, Scope.CANARY, ada, rob)

    attestation = gates.attest(high, CANARY, now=timezone.now())

    assert sorted(attestation.approved_by) == sorted([actor_of(ada), actor_of(rob)])
    assert attestation.subject_digest == subjects.of(high, Scope.CANARY).digest


def test_at_tier_high_one_signature_is_not_enough(high: ModelVersion, ada: User) -> None:
    approve_high(high, Scope.CANARY, ada)

    assert blockers(high) == [
        "1 of 2 signatures for canary: a risk officer other than ada signs on the review page."
    ]


def test_at_tier_high_two_reviewers_are_not_enough(
    high: ModelVersion, ada: User, user_with: Callable[..., User]
) -> None:
    approve_high(high, Scope.CANARY, ada, user_with("reviewer", username="bea"))

    assert starts(blockers(high)) == ["1 of 2 signatures"]


def test_a_signature_for_all_live_traffic_is_none_at_tier_high(
    high: ModelVersion, ada: User, rob: User
) -> None:
    settle_both(high, ada)
    write_approval(high, ada)
    write_approval(high, rob, role="risk_officer")

    assert starts(blockers(high)) == ["0 of 2 signatures"]


def test_at_tier_high_the_artifact_and_its_evidence_are_needed(
    version: ModelVersion, tier: Callable[[RiskTier], None], ada: User, rob: User
) -> None:
    tier(RiskTier.HIGH)
    approve_high(version, Scope.CANARY, ada, rob)

    assert starts(blockers(version)) == ["Tier high needs the", "Tier high needs bias"]


@pytest.mark.parametrize(
    ("verdict", "first"),
    [("unknown", "Tier high needs bias"), ("fail", "Measured bias fails: The")],
)
def test_at_tier_high_bias_is_measured_and_passes(
    version: ModelVersion,
    tier: Callable[[RiskTier], None],
    evaluate: Callable[..., Evaluation],
    ada: User,
    rob: User,
    verdict: str,
    first: str,
) -> None:
    tier(RiskTier.HIGH)
    evaluate(version, verdict=verdict)
    approve_high(version, Scope.CANARY, ada, rob)

    assert starts(blockers(version)) == [first]


def test_a_raised_tier_closes_the_gate(
    version: ModelVersion, ada: User, tier: Callable[[RiskTier], None]
) -> None:
    settle_both(version, ada)

    tier(RiskTier.HIGH)

    assert starts(blockers(version))[:2] == ["The policy or risk"] * 2


@pytest.fixture
def canary(make_version: Callable[..., ModelVersion], ada: User) -> ModelVersion:
    """A reviewed version in canary."""
    version = make_version("canary")
    settle_both(version, ada)
    return version


def test_production_needs_a_canary_with_data(canary: ModelVersion) -> None:
    (blocker,) = blockers(canary, PRODUCTION)

    assert "no data on 0 requests in the last 10 minutes, where ok on 100 is needed" in blocker


def test_production_opens_once_the_canary_is_ok_on_enough_requests(canary: ModelVersion) -> None:
    record_traffic(canary, requests=100)

    assert blockers(canary, PRODUCTION) == []


@pytest.mark.parametrize(
    ("traffic", "said"),
    [
        ({"requests": 99}, "watch on 99 requests"),
        ({"error_rate": 0.06}, "rollback on 1000 requests"),
    ],
)
def test_an_unproven_canary_keeps_production_closed(
    canary: ModelVersion, traffic: dict[str, Any], said: str
) -> None:
    record_traffic(canary, **traffic)

    (blocker,) = blockers(canary, PRODUCTION)

    assert said in blocker
    assert "error rate" in blocker


@pytest.fixture
def high_canary(canary: ModelVersion) -> ModelVersion:
    """A canary of a model whose tier was raised; its signatures are of another policy now."""
    ModelFamily.objects.filter(pk=canary.family_id).update(risk_tier=RiskTier.HIGH)
    canary.family.refresh_from_db()
    return canary


def unproven(version: ModelVersion) -> list[str]:
    """What the gate says of how the canary did."""
    return [said for said in blockers(version, PRODUCTION) if "proven itself" in said]


def test_at_tier_high_a_canary_is_proven_by_serving_tokens_alone(
    high_canary: ModelVersion,
) -> None:
    record_traffic(high_canary)
    (by_others,) = unproven(high_canary)

    record_traffic(high_canary, requests=100, by_job=True)

    assert "no data on 0 requests that serving tokens reported in the last 10" in by_others
    assert unproven(high_canary) == []


def test_at_tier_high_others_dilute_nothing_and_hold_it_back(high_canary: ModelVersion) -> None:
    record_traffic(high_canary, requests=100, error_rate=0.06, by_job=True)
    record_traffic(high_canary, requests=9000, error_rate=0.0)
    diluted = unproven(high_canary)

    record_traffic(high_canary, requests=900, error_rate=0.0, by_job=True)
    proven = unproven(high_canary)
    record_traffic(high_canary, requests=9000, error_rate=0.5)

    assert "rollback on 100 requests that serving tokens reported" in diluted[0]
    assert proven == []
    assert "rollback on 1000 requests that serving tokens reported" in unproven(high_canary)[0]


def test_the_bake_time_is_the_policys(canary: ModelVersion) -> None:
    earlier: datetime = timezone.now() - timedelta(minutes=30)
    ModelVersion.objects.filter(pk=canary.pk).update(stage_entered_at=earlier - timedelta(hours=1))
    record_traffic(canary, at=earlier)

    before = blockers(canary, PRODUCTION)
    policies.change(canary.family, {"bake_minutes": 60}, actor="user:1")

    assert "no data on 0 requests in the last 10 minutes" in before[0]
    assert blockers(canary, PRODUCTION) == []


def test_the_least_number_of_requests_is_the_policys(canary: ModelVersion) -> None:
    record_traffic(canary, requests=100)

    policies.change(canary.family, {"min_requests": 101}, actor="user:1")

    assert "where ok on 101 is needed" in blockers(canary, PRODUCTION)[0]


def test_entering_canary_asks_for_no_traffic(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    assert gates.weigh(version, CANARY, now=timezone.now()).situation.canary is None


@pytest.mark.parametrize(
    ("stage", "ahead"),
    [
        ("development", "canary"),
        ("sandbox", "canary"),
        ("canary", "production"),
        ("rollback", "canary"),
        ("archived", "canary"),
    ],
)
def test_a_page_previews_the_gate_ahead(
    make_version: Callable[..., ModelVersion], stage: str, ahead: str
) -> None:
    gate = gates.preview(make_version(stage), now=timezone.now())

    assert gate is not None
    assert gate.stage == ahead
    assert gate.blockers


def test_no_gate_lies_ahead_of_production(make_version: Callable[..., ModelVersion]) -> None:
    assert gates.preview(make_version("production"), now=timezone.now()) is None


def test_a_preview_writes_nothing(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)

    gate = gates.preview(version, now=timezone.now())

    assert gate is not None
    assert [signature.by for signature in gate.signatures] == ["ada"]
    assert not Attestation.objects.exists()


def test_the_digest_has_the_word_where_kept_parts_look_the_same(
    version: ModelVersion, ada: User
) -> None:
    settle_both(version, ada)
    reviews.withdraw(Approval.objects.get(), reviewer=ada)
    write_approval(version, ada, subject_digest="f" * 64)

    assert "(the subject changed since ada signed)" in blockers(version)[0]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "stands"),
        ({"subject_digest": "f" * 64}, "of a former state"),
        ({"expires_at": timezone.now()}, "expired"),
        ({"withdrawn_at": timezone.now(), "withdrawn_by": "user:1"}, "withdrawn"),
    ],
)
def test_what_has_become_of_a_signature_is_a_word(
    version: ModelVersion, ada: User, fields: dict[str, Any], state: str
) -> None:
    approval = write_approval(version, ada, **fields)

    assert gates.state_of(approval, subjects.of(version), now=timezone.now()) == state


def test_the_tier_is_the_familys(version: ModelVersion) -> None:
    assert ModelFamily.objects.get().risk_tier == "medium"
    assert gates.weigh(version, CANARY, now=timezone.now()).situation.demands.tier == "medium"
