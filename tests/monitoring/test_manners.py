"""How a policy wants breaches answered, through beat's task and the playbook."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitoring import policies, tasks
from monitoring.models import Incident, RecordedVerdict
from registry import clock
from registry.ledger import deliveries
from registry.models import Event, ModelVersion, StageTransition
from tests.conftest import NOW
from tests.monitoring.makers import enter, report, report_every

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check is done where beat sends it."""

    def at_once(arguments: tuple[int], *, expires: float) -> None:
        tasks.check_version(*arguments)

    monkeypatch.setattr(tasks.check_version, "apply_async", at_once)


def beat(at: datetime) -> None:
    """What beat does at one moment, and all that follows."""
    with clock.telling(lambda: at):
        tasks.evaluate_rollback_triggers()
        while deliveries.deliver_to_verbs(now=clock.now):
            pass


def stage(version: ModelVersion) -> str:
    return ModelVersion.objects.get(pk=version.pk).stage


def kinds(version: ModelVersion) -> list[str]:
    return list(Incident.objects.filter(version=version).values_list("kind", flat=True))


def change(version: ModelVersion, **changes: Any) -> None:
    policies.change(version.family, changes, actor="user:1")


def test_within_the_initial_delay_a_breach_is_on_record_and_after_it_acted_on(
    make_version: Maker,
) -> None:
    canary = enter(make_version("canary"), ago=timedelta(seconds=60))
    change(canary, initial_delay_seconds=90)
    report(canary, error_rate=0.5)

    beat(NOW + timedelta(seconds=29))
    early = stage(canary), kinds(canary)
    beat(NOW + timedelta(seconds=30))

    assert early == ("canary", [])
    assert RecordedVerdict.objects.get(version=canary).verdict == "rollback"
    assert (stage(canary), kinds(canary)) == ("rollback", ["rollback"])


@pytest.mark.parametrize("manner", [{"mode": "notify"}, {"dry_run": True}])
def test_a_policy_that_leaves_it_to_people_opens_one_incident_and_moves_nothing(
    make_version: Maker, manner: dict[str, Any]
) -> None:
    canary = enter(make_version("canary"))
    change(canary, **manner)
    report(canary, error_rate=0.5)

    for seconds in range(0, 60, 5):
        beat(NOW + timedelta(seconds=seconds))

    incident = Incident.objects.get()
    assert (incident.kind, incident.severity, incident.breaches) == ("breach", "critical", 1)
    assert incident.verdict == RecordedVerdict.objects.get(version=canary)
    assert "its policy leaves the breach to people: error rate 50 % > 5 %" in incident.summary
    assert stage(canary) == "canary"
    assert not Event.objects.filter(event_type="model.rollback.requested").exists()


def test_what_the_policy_left_to_people_is_done_once_it_does_so_no_more(
    make_version: Maker,
) -> None:
    canary = enter(make_version("canary"))
    change(canary, dry_run=True)
    report(canary, error_rate=0.5)
    beat(NOW)

    change(canary, dry_run=False)
    beat(NOW + timedelta(seconds=5))

    assert stage(canary) == "rollback"
    assert sorted(kinds(canary)) == ["breach", "rollback"]


@pytest.mark.parametrize(("seconds", "handed_back"), [(1799, False), (1800, True)])
def test_a_second_hand_back_waits_for_1800_seconds(
    make_version: Maker, seconds: int, handed_back: bool
) -> None:
    first, second, third = (enter(make_version("production")) for _ in range(3))
    report(third, error_rate=0.5)
    beat(NOW)
    made = StageTransition.objects.get(kind="restored").at
    at = NOW + timedelta(seconds=seconds)
    report(second, at=at, error_rate=0.5)

    beat(at)

    assert made == NOW
    assert stage(third) == "rollback"
    assert (stage(second), stage(first)) == (
        ("rollback", "production") if handed_back else ("production", "archived")
    )
    assert ("rollback_suppressed_cooldown" in kinds(second)) is not handed_back


def test_the_rule_that_acts_is_the_policy_s(make_version: Maker) -> None:
    """Six percent of a hundred requests is over five, and far from beyond doubt."""
    plain = enter(make_version("canary", name="Plain"))
    careful = enter(make_version("canary", name="Careful"))
    change(careful, rule="evidence")
    for version in (plain, careful):
        report_every(version, range(0, 50, 10), num_requests=20, error_rate=0.06)

    beat(NOW)

    assert (stage(plain), stage(careful)) == ("rollback", "canary")
    kept = RecordedVerdict.objects.get(version=careful)
    assert (kept.rule, kept.verdict, kept.other["verdict"]) == ("evidence", "watch", "rollback")
    assert any(trigger["more_requests"] for trigger in kept.triggers)
