"""Promote a version through its gate: verdict and move share one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from governance import gates
from monitoring import policies, predecessors, rollbacks
from monitoring.models import WithoutPredecessor
from registry import clock, lifecycle
from registry.models import (
    GATED_STAGES,
    Attestation,
    DeploymentStage,
    ModelVersion,
    StageTransition,
)

Stage = DeploymentStage


@dataclass(frozen=True, slots=True)
class Promotion:
    """A move that was made."""

    transition: StageTransition
    previous_status: str
    warnings: tuple[str, ...] = ()


@transaction.atomic
def promote(
    version: ModelVersion,
    *,
    to: DeploymentStage,
    actor: str,
    canary_percentage: Decimal | None = None,
    reason: str = "",
) -> Promotion:
    """Move ``version`` to ``to``, up, down or to another canary share; up only through its gate.

    Args:
        canary_percentage: Share of live traffic, 0 < percentage < 100; canary only, default 10.
        reason: Why; kept beside the record.

    Raises:
        TransitionRefused: There is no such move.
        InvalidInput: The percentage is out of range, or given outside canary.
        PromotionBlocked: The gate is closed; ``blockers`` lists all that is missing.
    """
    version = lifecycle.lock(version)
    previous = version.stage
    if to == Stage.ROLLBACK:
        outcome = rollbacks.roll_back(version, actor=actor, now=clock.now(), reason=reason)
        return Promotion(outcome.transition, previous)
    lifecycle.kind_of(version, to)
    transition = lifecycle.move(
        version,
        to=to,
        actor=actor,
        attestation=_attestation(version, to, canary_percentage),
        canary_percentage=canary_percentage,
        reason=reason,
    )
    return Promotion(transition, previous, tuple(_warnings(version, to)))


def _attestation(
    version: ModelVersion, to: DeploymentStage, percentage: Decimal | None
) -> Attestation | None:
    """The gate's statement where the move needs one: for a gated stage, or a larger share of it."""
    if to == Stage.CANARY:
        points = lifecycle.canary_basis_points(percentage)
        if version.stage == to and points <= (version.canary_basis_points or 0):
            return None
    return gates.attest(version, to, now=clock.now()) if to in GATED_STAGES else None


def _warnings(version: ModelVersion, to: DeploymentStage) -> list[str]:
    if to != Stage.PRODUCTION or predecessors.hand_back_target(version) is not None:
        return []
    policy = policies.policy_of(version.family)
    held = policy.without_predecessor == WithoutPredecessor.HOLD
    then = "it stays and people are called" if held else "the callers' fallback answers"
    return [f"There is no version to hand back to: if {version} degrades, {then}."]
