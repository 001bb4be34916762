"""Which version of a model is meant, where only the model was named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from registry import lifecycle
from registry.models import (
    SERVING_STAGES,
    DeploymentStage,
    ModelFamily,
    ModelVersion,
    StageTransition,
    TransitionKind,
)
from registry.models.versions import ModelVersionQuerySet

Stage, Kind = DeploymentStage, TransitionKind

# What "promote", "withdraw" and "retry" may mean; "move" may mean any of them.
DIRECTIONS: dict[str, Collection[TransitionKind]] = {
    "up": {Kind.PROMOTED},
    "down": {Kind.WITHDRAWN},
    "again": {Kind.RETRIED},
    "": {Kind.PROMOTED, Kind.WITHDRAWN, Kind.RETRIED, Kind.ARCHIVED},
}
NEWEST_MEANT = (Stage.SANDBOX, Stage.CANARY)  # promoting to these, the newest is the one meant


@dataclass(frozen=True, slots=True)
class Chosen:
    """The version, and why it is this one; or those it could be."""

    version: ModelVersion | None
    why: str = ""
    others: tuple[ModelVersion, ...] = ()


def to_move(family: ModelFamily, to: DeploymentStage, direction: str) -> Chosen:
    """The version that such a move makes sense for."""
    found = list(_of(family).filter(stage__in=sources(to, direction)))
    if direction == "up" and to in NEWEST_MEANT and len(found) > 1:
        nearest = [v for v in found if v.stage == found[0].stage]
        others = ", ".join(v.model_id for v in found[1:])
        return Chosen(
            nearest[0], f"the newest of {family} that may move to {to} (besides {others})"
        )
    return _only(found, f"the only version of {family} that may move to {to}")


def to_roll_back(family: ModelFamily) -> Chosen:
    """The version that answers requests."""
    found = list(_of(family).filter(stage__in=SERVING_STAGES))
    return _only(found, f"the only version of {family} that answers requests")


def to_share(family: ModelFamily) -> Chosen:
    """The canary."""
    return _only(list(_of(family).filter(stage=Stage.CANARY)), f"the only canary of {family}")


def last_rolled_back(family: ModelFamily) -> ModelVersion | None:
    """The version that was rolled back last."""
    made = StageTransition.objects.filter(version__family=family, kind=Kind.ROLLED_BACK)
    latest = made.select_related("version__family", "version__artifact").order_by("-pk").first()
    return latest.version if latest else None


def serving(family: ModelFamily) -> list[ModelVersion]:
    """The versions that answer requests, production first; the newest where none does."""
    found = sorted(_of(family).filter(stage__in=SERVING_STAGES), key=_production_first)
    return found or list(_of(family)[:1])


def sources(to: str, direction: str) -> list[str]:
    """The stages from which a move in this direction leads to ``to``."""
    kinds = DIRECTIONS[direction]
    moves = lifecycle.TRANSITIONS.items()
    return [source for (source, target), kind in moves if target == to and kind in kinds]


def _of(family: ModelFamily) -> ModelVersionQuerySet:
    """Its versions, newest first."""
    rows = ModelVersion.objects.filter(family=family).select_related("family", "artifact")
    return rows.order_by("-number")


def _only(found: list[ModelVersion], why: str) -> Chosen:
    return Chosen(found[0], why) if len(found) == 1 else Chosen(None, others=tuple(found))


def _production_first(version: ModelVersion) -> bool:
    return version.stage != Stage.PRODUCTION
