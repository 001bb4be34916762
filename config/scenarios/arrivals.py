"""When each version of a scenario comes to its stage, and by which way. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from config.scenarios.series import Version

HELD_FOR = 3600.0  # seconds in production, of a predecessor of whom none are told
PASSING = Decimal("0.01")  # percent; the share of a canary on its way to production
FIRST = ("production", "canary")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One version's moves from the sandbox to a stage, all at one moment."""

    at: float  # seconds
    version: str
    through: tuple[str, ...]
    weight: Decimal | None = None  # percent; in canary


def arrivals(versions: Mapping[str, Version]) -> list[Arrival]:
    """All of them in order; a predecessor comes before whoever takes production from it."""
    found: dict[str, Arrival] = {}
    for version in versions.values():
        if version.stage == "production":
            _into_production(version, version.entered_at, versions, found)
    for version in versions.values():
        if version.name not in found and (arrival := _elsewhere(version)):
            found[version.name] = arrival
    return sorted(found.values(), key=lambda arrival: (arrival.at, _rank(arrival)))


def _into_production(
    version: Version, at: float, versions: Mapping[str, Version], found: dict[str, Arrival]
) -> None:
    """Its own arrival, and before it that of its predecessor, who may have one before too."""
    standing = found.get(version.name)
    if standing is not None and standing.at <= at:
        return
    found[version.name] = Arrival(at, version.name, ("canary", "production"), PASSING)
    former = versions[version.previous] if version.previous else None
    if former is None or former.stage not in ("production", "archived"):
        return
    told = former.stage == "production" and former.entered_at < at
    _into_production(former, former.entered_at if told else at - HELD_FOR, versions, found)


def _elsewhere(version: Version) -> Arrival | None:
    """Where it goes that is not production; None where it stays where it begins."""
    at, name = version.entered_at, version.name
    if version.stage == "canary":
        return Arrival(at, name, ("canary",), version.weight)
    if version.stage == "rollback":
        return Arrival(at, name, ("canary", "rollback"), version.weight)
    if version.stage == "archived":
        return Arrival(at, name, ("archived",))
    return None


def _rank(arrival: Arrival) -> int:
    """At the same moment production comes first."""
    return 0 if arrival.through[-1] == "production" else 1
