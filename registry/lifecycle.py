"""Move a version between deployment stages. The only code that writes ``stage``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F

from registry import clock, routing
from registry.errors import InvalidInput, TransitionRefused, Unprocessable
from registry.ledger import events
from registry.models import (
    GATED_STAGES,
    Attestation,
    DeploymentStage,
    ModelFamily,
    ModelVersion,
    Remark,
    StageTransition,
    TransitionKind,
)

Stage = DeploymentStage
Kind = TransitionKind

# Every move a person or a job may ask for. Restoring to production is not among them:
# it follows from another version's rollback.
TRANSITIONS: dict[tuple[str, str], TransitionKind] = {
    (Stage.DEVELOPMENT, Stage.SANDBOX): Kind.PROMOTED,
    (Stage.SANDBOX, Stage.CANARY): Kind.PROMOTED,
    (Stage.CANARY, Stage.PRODUCTION): Kind.PROMOTED,
    (Stage.CANARY, Stage.CANARY): Kind.ADJUSTED,
    (Stage.CANARY, Stage.SANDBOX): Kind.WITHDRAWN,
    (Stage.CANARY, Stage.DEVELOPMENT): Kind.WITHDRAWN,
    (Stage.SANDBOX, Stage.DEVELOPMENT): Kind.WITHDRAWN,
    (Stage.CANARY, Stage.ROLLBACK): Kind.ROLLED_BACK,
    (Stage.PRODUCTION, Stage.ROLLBACK): Kind.ROLLED_BACK,
    (Stage.ROLLBACK, Stage.SANDBOX): Kind.RETRIED,
    (Stage.ARCHIVED, Stage.SANDBOX): Kind.RETRIED,
    (Stage.DEVELOPMENT, Stage.ARCHIVED): Kind.ARCHIVED,
    (Stage.SANDBOX, Stage.ARCHIVED): Kind.ARCHIVED,
    (Stage.ROLLBACK, Stage.ARCHIVED): Kind.ARCHIVED,
}
DEFAULT_CANARY = Decimal(10)  # percent

EVENTS = {
    Kind.REGISTERED: "model.registered",
    Kind.PROMOTED: "model.promoted",
    Kind.ADJUSTED: "model.canary.adjusted",
    Kind.WITHDRAWN: "model.withdrawn",
    Kind.ROLLED_BACK: "model.rolled_back",
    Kind.RESTORED: "model.restored",
    Kind.RETRIED: "model.retried",
    Kind.ARCHIVED: "model.archived",
}


@dataclass(frozen=True, slots=True)
class Move:
    """One stage change about to be made."""

    kind: TransitionKind
    to: DeploymentStage
    actor: str
    basis_points: int | None = None  # canary only
    attestation: Attestation | None = None
    cause: StageTransition | None = None
    remark: Remark | None = None


def lock(version: ModelVersion) -> ModelVersion:
    """Lock the version's family, the lock of every stage change, and read the version anew.

    Must run in a transaction; held until it ends.
    """
    ModelFamily.objects.select_for_update().get(pk=version.family_id)
    return ModelVersion.objects.select_related("family").get(pk=version.pk)


def kind_of(version: ModelVersion, to: DeploymentStage) -> TransitionKind:
    """What a move of ``version`` to ``to`` is called.

    Raises:
        TransitionRefused: There is no such move; the message lists those there are.
    """
    kind = TRANSITIONS.get((version.stage, to))
    if kind is None:
        open_to = [target for (source, target) in TRANSITIONS if source == version.stage]
        raise TransitionRefused(
            f"{version} cannot move from {version.stage} to {to}; from {version.stage} it may "
            f"move to {' or '.join(open_to)}."
        )
    return kind


def canary_basis_points(percentage: Decimal | None) -> int:
    """The share of live traffic in hundredths of a percent; 10 % where none is given.

    Raises:
        InvalidInput: It is not over 0 and under 100, or finer than 0.01.
    """
    points = (DEFAULT_CANARY if percentage is None else percentage) * 100
    if not 0 < points < 10_000 or points != int(points):
        raise InvalidInput.of(
            "canary_percentage", "Give a percentage over 0 and under 100, in steps of 0.01."
        )
    return int(points)


@transaction.atomic
def move(
    version: ModelVersion,
    *,
    to: DeploymentStage,
    actor: str,
    attestation: Attestation | None = None,
    canary_percentage: Decimal | None = None,
    reason: str = "",
) -> StageTransition:
    """Move ``version`` up, down, or to another canary share, by the transition table.

    Entering production archives the version that held it. Rolling back is
    ``roll_back``: it has consequences of its own.

    Args:
        attestation: The gate's statement; canary and production need one that fits.
        canary_percentage: Share of live traffic, 0 < percentage < 100; canary only, default 10.

    Raises:
        TransitionRefused: There is no such move, or the attestation is missing or another's.
        InvalidInput: The percentage is out of range, or given outside canary.
    """
    if to == Stage.ROLLBACK:
        return roll_back(version, actor=actor, remark=events.remark(reason))
    version = lock(version)
    kind = kind_of(version, to)
    points = _asked_share(version, to, canary_percentage)
    if to in GATED_STAGES:
        attestation = _proof(version, to, points, attestation)
    remark = events.remark(reason)
    if to == Stage.PRODUCTION:
        _archive_former_production(version, actor)
    return _apply(version, Move(kind, to, actor, points, attestation, remark=remark))


@transaction.atomic
def roll_back(
    version: ModelVersion,
    *,
    actor: str,
    remark: Remark | None = None,
    restore: ModelVersion | None = None,
) -> StageTransition:
    """Take ``version`` out of traffic, and put ``restore`` into production in its place.

    Never gated. On a version already in rollback the existing transition is returned
    and nothing changes.

    Args:
        restore: A former production version of the family whose attestation stands.

    Raises:
        TransitionRefused: The version serves no traffic, or ``restore`` is not fit.
    """
    version = lock(version)
    if version.stage == Stage.ROLLBACK:
        return version.transitions.filter(to_stage=Stage.ROLLBACK).order_by("-pk")[0]
    kind_of(version, Stage.ROLLBACK)
    out = _apply(version, Move(Kind.ROLLED_BACK, Stage.ROLLBACK, actor, remark=remark))
    if restore is not None:
        _restore(restore, actor, cause=out)
    return out


def standing_attestation(version: ModelVersion, stage: DeploymentStage) -> Attestation | None:
    """The newest attestation of ``version`` for ``stage`` that fits its artifact and stands."""
    standing = version.attestations.filter(
        stage=stage, revoked_at=None, artifact_sha256=version.artifact_digest
    )
    return standing.order_by("-attested_at").first()


def start(versions: Sequence[ModelVersion], *, actor: str) -> list[StageTransition]:
    """Write the transitions from nothing to development that new versions begin with."""
    made = StageTransition.objects.bulk_create(
        StageTransition(
            version=version, kind=Kind.REGISTERED, to_stage=Stage.DEVELOPMENT, actor=actor
        )
        for version in versions
    )
    facts = ((transition.version, _facts(transition)) for transition in made)
    events.record_all(EVENTS[Kind.REGISTERED], facts, actor=actor)
    return made


def _asked_share(
    version: ModelVersion, to: DeploymentStage, percentage: Decimal | None
) -> int | None:
    if to == Stage.CANARY:
        points = canary_basis_points(percentage)
        free = 9_999 - version.family.canary_basis_points + (version.canary_basis_points or 0)
        if points > free:
            raise Unprocessable.of(
                "canary_percentage",
                f"The family's canaries must stay below 100 % together: at most {free / 100:g} % "
                "is free.",
            )
        return points
    if percentage is not None:
        raise InvalidInput.of("canary_percentage", "Only a move to canary takes a percentage.")
    return None


def _proof(
    version: ModelVersion, to: DeploymentStage, points: int | None, attestation: Attestation | None
) -> Attestation | None:
    """What allows a move to a gated stage; a smaller share stands on what allowed the larger."""
    if version.stage == to and (points or 0) <= (version.canary_basis_points or 0):
        return version.transitions.select_related("attestation").order_by("-pk")[0].attestation
    if attestation is None:
        raise TransitionRefused(f"{version} needs an attestation to enter {to}.")
    fits = (attestation.version_id, attestation.stage) == (version.pk, to)
    same_artifact = attestation.artifact_sha256 == version.artifact_digest
    if not (fits and same_artifact and attestation.revoked_at is None):
        raise TransitionRefused(f"This attestation is not about {version} entering {to}.")
    return attestation


def _archive_former_production(successor: ModelVersion, actor: str) -> None:
    former = ModelVersion.objects.filter(family=successor.family, stage=Stage.PRODUCTION).first()
    if former is not None:
        former.family = successor.family
        _apply(former, Move(Kind.ARCHIVED, Stage.ARCHIVED, actor))


def _restore(version: ModelVersion, actor: str, cause: StageTransition) -> StageTransition:
    version = lock(version)
    attestation = standing_attestation(version, Stage.PRODUCTION)
    if version.stage != Stage.ARCHIVED or attestation is None:
        raise TransitionRefused(f"{version} is {version.stage} and cannot be restored.")
    return _apply(
        version,
        Move(Kind.RESTORED, Stage.PRODUCTION, actor, attestation=attestation, cause=cause),
    )


def _apply(version: ModelVersion, move: Move) -> StageTransition:
    """Write transition, stage, traffic and event: all that a move is."""
    now = clock.now()
    former = version.stage
    made = StageTransition.objects.create(
        version=version,
        kind=move.kind,
        from_stage=former,
        to_stage=move.to,
        canary_basis_points=move.basis_points,
        attestation=move.attestation,
        cause=move.cause,
        actor=move.actor,
        remark=move.remark,
        at=now,
    )
    _write_stage(version, move, former, now)
    events.record(
        EVENTS[TransitionKind(made.kind)],
        subject=version,
        actor=made.actor,
        remark=made.remark,
        payload=_facts(made),
    )
    return made


def _write_stage(version: ModelVersion, move: Move, former: str, now: datetime) -> None:
    version.stage, version.canary_basis_points = move.to, move.basis_points
    if former != move.to:  # another share is not another stage: its measurements stay valid
        version.stage_entered_at = now
    version.revision += 1
    version.save(update_fields=["stage", "canary_basis_points", "stage_entered_at", "revision"])
    ModelFamily.objects.filter(pk=version.family_id).update(generation=F("generation") + 1)
    routing.publish(version.family, now=now)


def _facts(made: StageTransition) -> dict[str, Any]:
    """What the event of a transition says."""
    return {
        "transition_id": made.pk,
        "from_stage": made.from_stage or None,
        "to_stage": made.to_stage,
        "canary_basis_points": made.canary_basis_points,
        "attestation_id": str(made.attestation_id) if made.attestation_id else None,
    }
