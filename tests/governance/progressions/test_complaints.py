"""What people complain of elsewhere, each as a test: see docs/progressive-delivery.md."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from governance.models import Progression
from governance.progressions import steering, sweeping
from governance.progressions.steps import Step
from monitoring import assessments, policies, rollbacks
from monitoring.decisions import Action
from monitoring.models import Incident
from registry import clock
from registry.errors import Conflict
from registry.ledger import deliveries
from registry.models import Event, ModelVersion
from tests.governance.makers import record_traffic
from tests.governance.progressions.conftest import Watch
from tests.governance.test_rivals import at_once

Begin = Callable[..., Progression]
Maker = Callable[..., ModelVersion]

SHORT = (Step(5), Step(100))


def deliver() -> None:
    while deliveries.deliver_to_verbs(now=clock.now):
        pass


def stage(version: ModelVersion) -> str:
    return ModelVersion.objects.get(pk=version.pk).stage


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("first", ["abort", "beat"])
def test_an_abort_is_either_done_or_told_that_it_came_too_late(
    begin: Begin, watch: Watch, first: str
) -> None:
    progression = begin(*SHORT)
    version = progression.version
    record_traffic(version, at=watch.turn(minutes=10))

    def beat() -> object:
        return sweeping.carry_on(progression.pk, now=watch.now)

    def abort() -> object:
        return steering.abort(version, actor="user:7", now=watch.now)

    rivals = [abort, beat, beat, abort] if first == "abort" else [beat, abort, beat, abort]
    outcomes = at_once(rivals)

    progression.refresh_from_db()
    done = [outcome for outcome in outcomes if isinstance(outcome, Progression)]
    refused = [str(outcome) for outcome in outcomes if isinstance(outcome, Conflict)]
    moves = version.transitions.filter(from_stage="canary")
    assert moves.count() == 1
    if done:
        assert (len(done), stage(version), progression.state) == (1, "sandbox", "aborted")
        assert not Event.objects.filter(event_type="progression.finished").exists()
    else:
        assert (len(refused), stage(version), progression.state) == (2, "production", "done")
        assert all("it is in production: roll it back" in said for said in refused)


@pytest.mark.django_db
def test_a_sick_production_version_does_not_block_its_fix(
    begin: Begin, watch: Watch, make_version: Maker
) -> None:
    sick = make_version("production")
    policies.change(sick.family, {"without_predecessor": "hold"}, actor="user:1")
    progression = begin(*SHORT)
    watch.turn(minutes=9)
    record_traffic(sick, at=watch.now, requests=9000, error_rate=0.4)
    held = rollbacks.request_if_degraded(sick, now=watch.now)

    watch.pass_step(progression.version, minutes=1)

    assert held is Action.NOTIFY
    assert Incident.objects.get().kind == "breach"
    assert (stage(progression.version), stage(sick)) == ("production", "archived")


@pytest.mark.django_db
def test_a_version_at_a_hundred_percent_is_watched_like_any_other(
    begin: Begin, watch: Watch, make_version: Maker
) -> None:
    former = make_version("production")
    progression = begin(*SHORT)
    version = progression.version
    watch.pass_step(version)
    promoted = stage(version), stage(former)
    watch.turn(hours=5)
    record_traffic(version, at=watch.now - timedelta(seconds=5), error_rate=0.3)

    found = assessments.check_serving(now=watch.now)
    rollbacks.request_if_degraded(version, now=watch.now)
    deliver()

    assert promoted == ("production", "archived")
    assert version.pk in found
    assert (stage(version), stage(former)) == ("rollback", "production")
    assert Incident.objects.get(version=version, kind="rollback").severity == "critical"
