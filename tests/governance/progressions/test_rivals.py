"""Rivals: many beats at once, and a rollback while a canary would advance."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from governance.models import Progression
from governance.progressions import sweeping
from governance.progressions.steps import Step
from monitoring import rollbacks
from registry.models import Event, ModelVersion
from tests.governance.makers import record_traffic
from tests.governance.progressions.conftest import Watch
from tests.governance.test_rivals import at_once

Begin = Callable[..., Progression]

SHORT = (Step(5), Step(50), Step(100))
RIVALS = 6


@pytest.mark.usefixtures("committed")
def test_many_beats_at_once_advance_it_once(begin: Begin, watch: Watch) -> None:
    progression = begin(*SHORT)
    record_traffic(progression.version, at=watch.turn(minutes=10))

    def beat() -> object:
        return sweeping.carry_on(progression.pk, now=watch.now)

    outcomes = at_once([beat] * RIVALS)

    progression.refresh_from_db()
    advanced = Event.objects.filter(event_type="progression.advanced")
    assert outcomes.count(True) == 1
    assert progression.position == 1
    assert advanced.count() == 1
    assert progression.version.transitions.filter(kind="adjusted").count() == 1


@pytest.mark.usefixtures("committed")
def test_a_rollback_wins_against_every_beat(begin: Begin, watch: Watch) -> None:
    progression = begin(*SHORT)
    record_traffic(progression.version, at=watch.turn(minutes=10))

    def beat() -> object:
        return sweeping.carry_on(progression.pk, now=watch.now)

    def roll_back() -> object:
        return rollbacks.roll_back(
            progression.version, actor="user:7", now=watch.now, reason="Out with it."
        )

    at_once([beat, roll_back, beat, roll_back, beat])
    watch.beat()

    progression.refresh_from_db()
    version = ModelVersion.objects.get(pk=progression.version_id)
    assert version.stage == "rollback"
    assert version.transitions.filter(kind="rolled_back").count() == 1
    assert (progression.state, progression.waits_for) == ("aborted", ["It was rolled back."])
