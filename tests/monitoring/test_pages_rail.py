"""The stage rail shows where a version stands, and shows honestly how it left the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitoring.pages.rail import stations
from registry import lifecycle
from registry.models import DeploymentStage, ModelVersion
from tests.conftest import take

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


def rail(version: ModelVersion) -> list[tuple[str, str]]:
    version.refresh_from_db()
    return [
        (str(s.stage), s.state) for s in stations(version.stage, list(version.transitions.all()))
    ]


@pytest.mark.parametrize(
    ("stage", "states"),
    [
        ("development", ["current", "ahead", "ahead", "ahead"]),
        ("sandbox", ["passed", "current", "ahead", "ahead"]),
        ("canary", ["passed", "passed", "current", "ahead"]),
        ("production", ["passed", "passed", "passed", "current"]),
    ],
)
def test_a_version_on_its_way_has_stages_behind_and_ahead(
    make_version: Maker, stage: str, states: list[str]
) -> None:
    shown = rail(make_version(stage))

    assert shown == list(
        zip(["development", "sandbox", "canary", "production"], states, strict=True)
    )


def test_a_canary_that_was_rolled_back_never_shows_production(make_version: Maker) -> None:
    assert rail(make_version("rollback")) == [
        ("development", "passed"),
        ("sandbox", "passed"),
        ("canary", "left"),
        ("rollback", "current"),
    ]


def test_the_last_station_says_from_where_the_version_fell(make_version: Maker) -> None:
    version = make_version("rollback")

    last = stations(version.stage, list(version.transitions.all()))[-1]

    assert last.note == "from canary"
    assert last.at == version.transitions.all()[0].at


def test_production_that_was_rolled_back_shows_that_it_was_there(make_version: Maker) -> None:
    version = make_version("production")
    lifecycle.roll_back(version, actor="user:1")

    assert rail(version)[-2:] == [("production", "left"), ("rollback", "current")]


def test_a_version_archived_from_development_shows_nothing_it_never_reached(
    make_version: Maker,
) -> None:
    assert rail(make_version("archived")) == [("development", "left"), ("archived", "current")]


def test_a_withdrawn_canary_shows_that_it_was_further_once(make_version: Maker) -> None:
    version = make_version("canary")
    take(version, "sandbox")

    assert rail(version) == [
        ("development", "passed"),
        ("sandbox", "current"),
        ("canary", "left"),
        ("production", "ahead"),
    ]


def test_a_change_of_share_does_not_change_when_canary_was_entered(make_version: Maker) -> None:
    version = make_version("canary")
    entered = version.transitions.all()[0].at
    take(version, "canary", share=25)

    version.refresh_from_db()
    canary = stations(version.stage, list(version.transitions.all()))[2]

    assert (canary.stage, canary.at) == (DeploymentStage.CANARY, entered)


def test_a_restored_version_says_so(make_version: Maker) -> None:
    former = make_version("production")
    sick = make_version("production")
    former.refresh_from_db()
    lifecycle.roll_back(sick, actor="user:1", restore=former)

    former.refresh_from_db()
    last = stations(former.stage, list(former.transitions.all()))[-1]

    assert (last.stage, last.state, last.note) == (
        DeploymentStage.PRODUCTION,
        "current",
        "restored",
    )
