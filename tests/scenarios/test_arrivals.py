"""When who comes to which stage."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.scenarios.arrivals import arrivals
from config.scenarios.series import Version


def moves(*versions: Version) -> list[tuple[float, str, str]]:
    found = arrivals({version.name: version for version in versions})
    return [(arrival.at, arrival.version, arrival.through[-1]) for arrival in found]


V1 = Version(name="v1", stage="production")


def test_production_comes_before_the_canary_of_the_same_moment() -> None:
    canary = Version(name="v2", stage="canary", previous="v1", weight=Decimal(25))

    assert moves(canary, V1) == [(0, "v1", "production"), (0, "v2", "canary")]
    assert arrivals({"v2": canary, "v1": V1})[1].weight == 25


def test_predecessors_have_held_production_one_after_the_other() -> None:
    first = Version(name="v1", stage="archived")
    second = Version(name="v2", stage="archived", previous="v1")
    third = Version(name="v3", stage="production", previous="v2")

    assert moves(third, second, first) == [
        (-7200, "v1", "production"),
        (-3600, "v2", "production"),
        (0, "v3", "production"),
    ]


def test_a_predecessor_that_is_told_to_hold_production_does_so_from_then_on() -> None:
    later = Version(name="v2", stage="production", entered_at=400, previous="v1")

    assert moves(V1, later) == [(0, "v1", "production"), (400, "v2", "production")]


def test_a_predecessor_of_the_same_moment_came_before() -> None:
    other = Version(name="v2", stage="production", previous="v1")

    assert moves(V1, other) == [(-3600, "v1", "production"), (0, "v2", "production")]
    assert moves(other, V1) == [(-3600, "v1", "production"), (0, "v2", "production")]


@pytest.mark.parametrize(
    ("stage", "through"),
    [("archived", ("archived",)), ("rollback", ("canary", "rollback"))],
)
def test_others_go_their_own_way(stage: str, through: tuple[str, ...]) -> None:
    (arrival,) = arrivals({"v1": Version(name="v1", stage=stage, entered_at=30)})

    assert (arrival.at, arrival.through) == (30, through)


@pytest.mark.parametrize("stage", ["development", "sandbox"])
def test_who_stays_where_all_begin_does_not_move(stage: str) -> None:
    assert moves(Version(name="v1", stage=stage)) == []
