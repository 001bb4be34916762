"""Promotions: verdict and move in one transaction, under the family's lock."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from governance import promotions, subjects
from governance.models import Check, CheckVerdict
from governance.promotions import Promotion
from governance.reviews import settle_check
from monitoring import policies
from monitoring.models import Incident
from registry.errors import InvalidInput, PromotionBlocked, TransitionRefused, Unprocessable
from registry.models import Artifact, Attestation, DeploymentStage, ModelVersion, StageTransition
from tests.governance.makers import record_traffic, settle_both

Stage = DeploymentStage

pytestmark = pytest.mark.django_db


def promote(version: ModelVersion, to: str, percentage: str | None = None) -> Promotion:
    return promotions.promote(
        version,
        to=Stage(to),
        actor="user:1",
        canary_percentage=None if percentage is None else Decimal(percentage),
    )


@pytest.fixture
def reviewed(version: ModelVersion, ada: User) -> ModelVersion:
    """A version in sandbox with both checks passed and signed."""
    settle_both(version, ada)
    return version


def test_an_open_stage_asks_nobody(make_version: Callable[..., ModelVersion]) -> None:
    version = make_version()

    done = promote(version, "sandbox")

    assert (done.previous_status, done.transition.to_stage) == ("development", "sandbox")
    assert done.warnings == ()


def test_a_reviewed_version_enters_canary_with_its_attestation(reviewed: ModelVersion) -> None:
    done = promote(reviewed, "canary")

    reviewed.refresh_from_db()
    assert (reviewed.stage, reviewed.canary_percentage) == ("canary", Decimal(10))
    assert done.transition.attestation == Attestation.objects.get()
    assert Attestation.objects.get().subject_digest == subjects.of(reviewed).digest


def test_an_unreviewed_version_stays_where_it_is(version: ModelVersion) -> None:
    with pytest.raises(PromotionBlocked) as refusal:
        promote(version, "canary")

    version.refresh_from_db()
    assert version.stage == "sandbox"
    assert len(refusal.value.blockers) == 3
    assert not Attestation.objects.exists()


def test_a_skipped_stage_is_refused_before_the_gate_is_asked(
    make_version: Callable[..., ModelVersion],
) -> None:
    with pytest.raises(TransitionRefused, match="cannot move from development to canary"):
        promote(make_version(), "canary")


@pytest.mark.parametrize("percentage", ["0", "100", "-1", "100.5", "0.001"])
def test_an_impossible_share_is_refused_before_the_gate_is_asked(
    version: ModelVersion, percentage: str
) -> None:
    with pytest.raises(InvalidInput, match="canary_percentage"):
        promote(version, "canary", percentage)


def test_a_refused_move_leaves_no_attestation(
    reviewed: ModelVersion, make_version: Callable[..., ModelVersion]
) -> None:
    make_version("canary", share=95)
    before = Attestation.objects.count()

    with pytest.raises(Unprocessable, match="below 100 %"):
        promote(reviewed, "canary", "10")

    assert Attestation.objects.count() == before


def test_a_larger_share_is_attested_anew(reviewed: ModelVersion) -> None:
    promote(reviewed, "canary", "10")

    done = promote(reviewed, "canary", "25")

    assert Attestation.objects.count() == 2
    assert done.transition.attestation == Attestation.objects.order_by("attested_at").last()


def test_a_larger_share_is_refused_once_the_review_is_stale(
    reviewed: ModelVersion, ada: User
) -> None:
    promote(reviewed, "canary", "10")
    settle_check(reviewed, Check.BIAS, verdict=CheckVerdict.FAIL, reviewer=ada)

    with pytest.raises(PromotionBlocked):
        promote(reviewed, "canary", "25")

    reviewed.refresh_from_db()
    assert reviewed.canary_percentage == Decimal(10)


@pytest.mark.parametrize("percentage", ["5", "10"])
def test_a_share_that_does_not_grow_asks_nobody(
    reviewed: ModelVersion, ada: User, percentage: str
) -> None:
    promote(reviewed, "canary", "10")
    settle_check(reviewed, Check.BIAS, verdict=CheckVerdict.FAIL, reviewer=ada)

    done = promote(reviewed, "canary", percentage)

    assert done.transition.canary_basis_points == Decimal(percentage) * 100
    assert Attestation.objects.count() == 1


def test_the_artifact_is_weighed_at_the_moment_of_promotion(
    reviewed: ModelVersion, upload: Callable[..., Artifact]
) -> None:
    upload(reviewed)

    with pytest.raises(PromotionBlocked, match="The artifact changed since ada"):
        promote(reviewed, "canary")


def test_a_healthy_canary_enters_production(reviewed: ModelVersion) -> None:
    promote(reviewed, "canary")
    record_traffic(reviewed)

    done = promote(reviewed, "production")

    reviewed.refresh_from_db()
    assert (reviewed.stage, done.previous_status) == ("production", "canary")
    assert done.transition.canary_basis_points is None


def test_a_canary_without_traffic_does_not(reviewed: ModelVersion) -> None:
    promote(reviewed, "canary")

    with pytest.raises(PromotionBlocked, match="The canary has not proven itself"):
        promote(reviewed, "production")


def enter_production(version: ModelVersion) -> Promotion:
    promote(version, "canary")
    record_traffic(version)
    return promote(version, "production")


def test_production_without_a_predecessor_warns(reviewed: ModelVersion) -> None:
    done = enter_production(reviewed)

    (warning,) = done.warnings
    assert warning == (
        f"There is no version to hand back to: if {reviewed} degrades, the callers' fallback "
        "answers."
    )


def test_the_warning_follows_the_policy(reviewed: ModelVersion) -> None:
    policies.change(reviewed.family, {"without_predecessor": "hold"}, actor="user:1")

    (warning,) = enter_production(reviewed).warnings

    assert warning.endswith("it stays and people are called.")


def test_production_after_a_predecessor_does_not_warn(
    reviewed: ModelVersion, make_version: Callable[..., ModelVersion]
) -> None:
    former = make_version("production")

    done = enter_production(reviewed)

    former.refresh_from_db()
    assert done.warnings == ()
    assert former.stage == "archived"


def test_rolling_back_is_the_rollback_verb(reviewed: ModelVersion) -> None:
    promote(reviewed, "canary")

    done = promotions.promote(reviewed, to=Stage.ROLLBACK, actor="user:1", reason="It is wrong.")

    reviewed.refresh_from_db()
    assert (reviewed.stage, done.previous_status) == ("rollback", "canary")
    assert str(Incident.objects.get().remark) == "It is wrong."


def test_rolling_back_twice_changes_nothing(reviewed: ModelVersion) -> None:
    promote(reviewed, "canary")
    first = promote(reviewed, "rollback")

    again = promote(reviewed, "rollback")

    assert again.transition == first.transition
    assert again.previous_status == "rollback"
    assert Incident.objects.count() == 1


def test_rolling_back_is_never_gated(
    make_version: Callable[..., ModelVersion],
) -> None:
    version = make_version("production")

    promote(version, "rollback")

    version.refresh_from_db()
    assert version.stage == "rollback"


def test_a_version_that_serves_nothing_cannot_be_rolled_back(version: ModelVersion) -> None:
    with pytest.raises(TransitionRefused):
        promote(version, "rollback")


def test_a_reason_is_kept_beside_the_move(version: ModelVersion) -> None:
    promotions.promote(version, to=Stage.DEVELOPMENT, actor="user:1", reason="Not ready.")

    assert str(StageTransition.objects.latest("pk").remark) == "Not ready."
