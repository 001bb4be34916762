"""The stage rail: where a version stands on the way to production, and how it left it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from registry.models import DeploymentStage, StageTransition, TransitionKind

Stage = DeploymentStage
WAY = (Stage.DEVELOPMENT, Stage.SANDBOX, Stage.CANARY, Stage.PRODUCTION)
State = Literal["passed", "current", "left", "skipped", "ahead"]


@dataclass(frozen=True, slots=True)
class Station:
    """One stage on the rail."""

    stage: DeploymentStage
    state: State
    at: datetime | None  # when it was last entered
    note: str = ""


def stations(stage: str, transitions: Sequence[StageTransition]) -> list[Station]:
    """The four stages of the way; for a version that is off it, those it reached and where it is.

    Args:
        stage: The stage the version is in.
        transitions: All of the version's, newest first.
    """
    reached = _reached(stage, transitions)
    last = {t.to_stage: t for t in reversed(transitions) if t.kind != TransitionKind.ADJUSTED}
    way = [_station(s, stage, reached, last.get(s)) for s in WAY]
    if stage in WAY:
        return way
    end = last.get(stage)
    note = f"from {end.from_stage}" if end else ""
    off = Station(Stage(stage), "current", end.at if end else None, note)
    return [*way[: reached + 1], off]


def _reached(stage: str, transitions: Sequence[StageTransition]) -> int:
    """How far along the way it stands, or stood when it left."""
    left = next((t.from_stage for t in transitions if t.to_stage == stage), Stage.DEVELOPMENT)
    standing = stage if stage in WAY else left
    return next((i for i, s in enumerate(WAY) if s == standing), 0)


def _station(
    station: DeploymentStage, stage: str, reached: int, entered: StageTransition | None
) -> Station:
    at = entered.at if entered else None
    place = WAY.index(station)
    if station == stage:
        restored = entered is not None and entered.kind == TransitionKind.RESTORED
        return Station(station, "current", at, "restored" if restored else "")
    if place > reached:
        return Station(station, "left" if entered else "ahead", at)
    if entered is None:
        return Station(station, "skipped", None)
    left_here = place == reached  # the version is off the way: it left from here
    return Station(station, "left" if left_here else "passed", at)
