"""Small makers of what a scenario says."""

from __future__ import annotations

from typing import Any

from config.scenarios.series import Expected, Scenario, Series, Steady, Version


def series(**said: Any) -> Series:
    """Three snapshots of v1, ten seconds apart, with some of it changed."""
    usual: dict[str, Any] = {
        "version": "v1",
        "start": 10,
        "stop": 40,
        "every": 10,
        "n": 100,
        "errors": Steady(0.0),
        "ood": Steady(0.0),
        "lat": [30, 90, 140],
        "drift": 0.05,
        "delays": [0.0],
        "t_shift": 0.0,
        "repeat": 1,
        "id": None,
    }
    return Series(**usual | said)


def scenario(*items: Series, **expected: Any) -> Scenario:
    """Two minutes of one version in production."""
    return Scenario(
        id="story",
        until=120,
        eval_every=30,
        rule="evidence",
        versions={"v1": Version(name="v1", stage="production")},
        series=items,
        expected=Expected(**expected),
    )
