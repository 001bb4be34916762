"""Rivals: many promotions at once, and a review that moves while they run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection

from governance import promotions, reviews
from governance.models import Check, CheckVerdict
from registry.errors import RegistryError
from registry.models import DeploymentStage, ModelVersion, StageTransition
from tests.governance.makers import record_traffic, settle_both

RIVALS = 8


def at_once(calls: list[Callable[[], object]]) -> list[object]:
    """Run the calls in threads of their own; a refusal is its result."""

    def run(call: Callable[[], object]) -> object:
        try:
            return call()
        except RegistryError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@pytest.mark.usefixtures("committed")
def test_rival_promotions_leave_one_production_version_and_proof_of_each_move(
    make_version: Callable[..., ModelVersion], ada: User
) -> None:
    versions = [make_version("canary", share=5) for _ in range(RIVALS)]
    for version in versions:
        settle_both(version, ada)
        record_traffic(version)

    def promotion(version: ModelVersion) -> Callable[[], object]:
        return lambda: promotions.promote(version, to=DeploymentStage.PRODUCTION, actor="user:1")

    outcomes = at_once([promotion(version) for version in versions])

    moves = StageTransition.objects.filter(to_stage="production")
    assert [outcome for outcome in outcomes if isinstance(outcome, RegistryError)] == []
    assert ModelVersion.objects.filter(stage="production").count() == 1
    assert ModelVersion.objects.filter(stage="archived").count() == RIVALS - 1
    assert moves.count() == RIVALS
    assert moves.values("attestation").distinct().count() == RIVALS


@pytest.mark.usefixtures("committed")
def test_rival_canaries_never_take_all_the_traffic(
    make_version: Callable[..., ModelVersion], ada: User
) -> None:
    versions = [make_version("sandbox") for _ in range(RIVALS)]
    for version in versions:
        settle_both(version, ada)

    def promotion(version: ModelVersion) -> Callable[[], object]:
        return lambda: promotions.promote(
            version, to=DeploymentStage.CANARY, actor="user:1", canary_percentage=Decimal(30)
        )

    outcomes = at_once([promotion(version) for version in versions])

    refused = [outcome for outcome in outcomes if isinstance(outcome, RegistryError)]
    shares = ModelVersion.objects.filter(stage="canary").values_list(
        "canary_basis_points", flat=True
    )
    assert sum(share or 0 for share in shares) == 9_000
    assert len(refused) == RIVALS - 3


@pytest.mark.usefixtures("committed")
def test_a_fail_that_is_settled_meanwhile_is_before_or_after_the_promotion_never_half(
    make_version: Callable[..., ModelVersion], ada: User, rob: User
) -> None:
    version = make_version("sandbox")
    settle_both(version, ada)

    outcome, result = at_once(
        [
            lambda: promotions.promote(version, to=DeploymentStage.CANARY, actor="user:1"),
            lambda: reviews.settle_check(
                version, Check.BIAS, verdict=CheckVerdict.FAIL, reviewer=rob
            ),
        ]
    )

    version.refresh_from_db()
    failed_at = getattr(result, "settled_at", None)
    entered = version.transitions.filter(to_stage="canary").first()
    assert failed_at is not None
    assert (version.stage == "canary") == (not isinstance(outcome, RegistryError))
    assert entered is None or entered.at < failed_at
