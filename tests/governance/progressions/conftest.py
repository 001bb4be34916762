"""A canary under way, and a clock that tests turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from governance.models import Progression
from governance.progressions import steering, steps, sweeping
from governance.progressions.steps import Step
from registry import clock
from registry.models import ModelVersion
from tests.conftest import NOW
from tests.governance.makers import record_traffic, settle_both


class Watch:
    """A clock that stands still until it is turned, and beats as beat does."""

    def __init__(self) -> None:
        self.now: datetime = NOW

    def turn(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    def beat(self) -> None:
        """Carry on whatever is due."""
        for pk in sweeping.due(now=self.now):
            sweeping.carry_on(pk, now=self.now)

    def pass_step(self, version: ModelVersion, *, minutes: float = 10, **traffic: Any) -> None:
        """Let a step's time go by with traffic, and beat."""
        self.turn(minutes=minutes)
        record_traffic(version, at=self.now - timedelta(seconds=1), **traffic)
        self.beat()


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    with clock.telling(lambda: watch.now):
        yield watch


@pytest.fixture
def begin(
    watch: Watch, make_version: Callable[..., ModelVersion], ada: User
) -> Callable[..., Progression]:
    """Let a reviewed version progress: ``begin(Step(5), Step(100))``."""

    def start(*asked: Step, stage: str = "sandbox") -> Progression:
        version = make_version(stage)
        settle_both(version, ada)
        return steering.start(version, asked=asked or steps.DEFAULT, actor="user:1", now=watch.now)

    return start
