"""From 5 % to production, and everything that may hold a canary up on its way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.utils import IntegrityError

from governance import promotions, reviews
from governance.models import Check, CheckVerdict, Progression
from governance.progressions import steering, sweeping
from governance.progressions.steps import Step
from monitoring import policies, rollbacks
from monitoring.models import Incident
from registry.errors import Conflict, PromotionBlocked, TransitionRefused, Unprocessable
from registry.models import DeploymentStage as Stage
from registry.models import Event, ModelFamily, ModelVersion, RiskTier
from tests.governance.makers import record_traffic, settle_both
from tests.governance.progressions.conftest import Watch

Begin = Callable[..., Progression]
Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

SHORT = (Step(5), Step(50), Step(100))


def at(progression: Progression) -> tuple[str, int | None, str]:
    """Stage and share of the version, and the state of its progression."""
    progression.refresh_from_db()
    version = ModelVersion.objects.get(pk=progression.version_id)
    points = version.canary_basis_points
    return version.stage, points and points // 100, progression.state


def told(progression: Progression) -> list[str]:
    found = Event.objects.filter(
        version=progression.version_id, event_type__startswith="progression."
    )
    return list(found.order_by("pk").values_list("event_type", flat=True))


def test_a_canary_that_does_well_walks_from_5_percent_into_production(
    begin: Begin, watch: Watch
) -> None:
    progression = begin()
    passed = [at(progression)]

    for _ in range(4):
        watch.pass_step(progression.version)
        passed.append(at(progression))

    assert passed == [
        ("canary", 5, "running"),
        ("canary", 10, "running"),
        ("canary", 25, "running"),
        ("canary", 50, "running"),
        ("production", None, "done"),
    ]
    assert told(progression) == [
        "progression.started",
        *["progression.advanced"] * 3,
        "progression.finished",
    ]
    moves = progression.version.transitions.filter(to_stage__in=["canary", "production"])
    assert moves.values("attestation").distinct().count() == 5
    assert set(moves.values_list("actor", flat=True)) == {"user:1", "system:progression"}


def test_nothing_happens_before_its_time_however_often_beat_looks(
    begin: Begin, watch: Watch
) -> None:
    progression = begin(*SHORT)

    watch.turn(minutes=9, seconds=59)
    record_traffic(progression.version, at=watch.now)
    watch.beat()
    watch.beat()

    assert at(progression) == ("canary", 5, "running")
    assert progression.waits_for == ["The step lasts 10 minutes."]


def test_no_data_never_advances_and_calls_people_once(begin: Begin, watch: Watch) -> None:
    progression = begin(*SHORT)

    for _ in range(20):
        watch.turn(minutes=10)
        watch.beat()

    assert at(progression) == ("canary", 5, "running")
    assert progression.waits_for[0] == "0 of 100 requests in this step."
    incident = Incident.objects.get(kind="progress_stalled")
    assert (incident.severity, incident.breaches, incident.resolved_at) == ("warning", 1, None)
    assert told(progression).count("progression.stalled") == 1

    watch.pass_step(progression.version)

    incident.refresh_from_db()
    assert at(progression) == ("canary", 50, "running")
    assert incident.resolved_by == "system:progression"


def test_data_that_stopped_does_not_advance(begin: Begin, watch: Watch) -> None:
    progression = begin(Step(5, minutes=30), Step(100))
    record_traffic(progression.version, at=watch.turn(minutes=5))

    watch.turn(minutes=25)
    watch.beat()

    assert at(progression) == ("canary", 5, "running")
    assert progression.waits_for[0].startswith("The triggers say no data: ")


def test_a_breach_in_the_step_holds_it_though_its_policy_leaves_breaches_to_people(
    begin: Begin, watch: Watch
) -> None:
    progression = begin(*SHORT)
    policies.change(progression.version.family, {"mode": "notify"}, actor="user:1")

    watch.pass_step(progression.version, error_rate=0.08)

    assert at(progression) == ("canary", 5, "running")
    assert progression.waits_for == [
        "The triggers say rollback: error rate 8 % > 5 % over 1,000 requests."
    ]


def test_what_is_worse_than_production_does_not_advance_though_every_trigger_is_ok(
    begin: Begin, watch: Watch, make_version: Maker
) -> None:
    production = make_version("production")
    progression = begin(*SHORT)
    watch.turn(minutes=10)
    for seconds in (30, 20, 10):
        ago = watch.now - timedelta(seconds=seconds)
        record_traffic(production, at=ago, requests=9000, error_rate=0.01)
        record_traffic(progression.version, at=ago, error_rate=0.04)

    watch.beat()

    assert at(progression) == ("canary", 5, "running")
    [reason] = progression.waits_for
    assert reason.startswith("It does worse than production: error rate 4 % over 3,000 requests, ")


def test_production_waits_for_a_person_who_lets_it_in(begin: Begin, watch: Watch) -> None:
    progression = begin(Step(5), Step(100, wait=True))

    watch.pass_step(progression.version)
    watch.turn(seconds=10)
    watch.beat()

    assert at(progression) == ("canary", 5, "waiting")
    assert progression.waits_for == ["A person lets it into production."]
    assert told(progression) == ["progression.started", "progression.waiting"]

    steering.advance(progression.version, actor="user:7", now=watch.now, note="Go.")

    assert at(progression) == ("production", None, "done")
    assert progression.version.transitions.order_by("-pk")[0].actor == "user:7"


def test_a_person_too_waits_for_the_step_to_be_over(begin: Begin, watch: Watch) -> None:
    progression = begin(*SHORT)

    with pytest.raises(Conflict, match="0 of 100 requests in this step"):
        steering.advance(progression.version, actor="user:7", now=watch.turn(minutes=10))

    assert at(progression) == ("canary", 5, "running")


def test_a_pause_stops_the_clock_and_the_deadline(begin: Begin, watch: Watch) -> None:
    progression = begin(*SHORT)
    deadline = progression.deadline_at
    version = progression.version
    steering.pause(version, actor="user:7", now=watch.turn(minutes=6))
    watch.pass_step(version, minutes=120)
    assert at(progression) == ("canary", 5, "paused")
    assert not Incident.objects.exists()

    steering.resume(version, actor="user:7", now=watch.now)
    watch.pass_step(version, minutes=3.9)
    still = at(progression)
    watch.pass_step(version, minutes=0.2)

    assert still == ("canary", 5, "running")
    assert at(progression) == ("canary", 50, "running")
    assert progression.paused_for == timedelta(0)  # of the new step
    assert progression.deadline_at > deadline
    assert told(progression)[1:3] == ["progression.paused", "progression.resumed"]


def test_a_paused_one_is_neither_paused_nor_advanced(begin: Begin, watch: Watch) -> None:
    version = begin(*SHORT).version
    steering.pause(version, actor="user:7", now=watch.now)

    with pytest.raises(Conflict, match="is paused: resume it first"):
        steering.pause(version, actor="user:7", now=watch.now)
    with pytest.raises(Conflict, match="is paused: resume it first"):
        steering.advance(version, actor="user:7", now=watch.now)


def test_an_abort_returns_the_share_to_production(
    begin: Begin, watch: Watch, make_version: Maker
) -> None:
    make_version("production")
    progression = begin(*SHORT)

    steering.abort(progression.version, actor="user:7", now=watch.now, note="Not today.")

    assert at(progression) == ("sandbox", None, "aborted")
    assert progression.remark is not None
    assert progression.remark.text == "Not today."
    family = ModelFamily.objects.get(pk=progression.version.family_id)
    assert family.canary_basis_points == 0
    assert [t["basis_points"] for t in family.traffic.targets] == [10_000]
    assert not Incident.objects.exists()
    with pytest.raises(Conflict, match="is not progressing"):
        steering.abort(progression.version, actor="user:7", now=watch.now)


def test_a_breach_is_acted_on_while_it_waits_for_a_person(begin: Begin, watch: Watch) -> None:
    progression = begin(Step(5), Step(100, wait=True))
    watch.pass_step(progression.version)
    assert at(progression)[2] == "waiting"

    record_traffic(progression.version, at=watch.turn(seconds=5), requests=9000, error_rate=0.3)
    rollbacks.request_if_degraded(progression.version, now=watch.now)
    held = sweeping.carry_on(progression.pk, now=watch.turn(seconds=10))
    waits_for = Progression.objects.get(pk=progression.pk).waits_for
    with pytest.raises(Conflict, match="Its rollback has been requested"):
        steering.advance(progression.version, actor="user:7", now=watch.now)
    rollbacks.roll_back(progression.version, actor="system:monitor", now=watch.now)
    watch.beat()

    assert held
    assert waits_for[0] == "Its rollback has been requested."
    assert at(progression) == ("rollback", None, "aborted")
    [reason] = progression.waits_for
    assert reason.startswith("It was rolled back: error rate 27.1 % > 5 %")
    assert told(progression)[-1] == "progression.aborted"


def test_a_rolled_back_canary_ends_its_paused_progression_too(begin: Begin, watch: Watch) -> None:
    progression = begin(*SHORT)
    steering.pause(progression.version, actor="user:7", now=watch.now)
    rollbacks.roll_back(progression.version, actor="user:7", now=watch.now, reason="It smells.")

    watch.beat()

    assert at(progression) == ("rollback", None, "aborted")
    assert progression.waits_for == ["It was rolled back."]


def test_a_requested_rollback_beats_the_step_even_if_all_looks_well_again(
    begin: Begin, watch: Watch
) -> None:
    """Another share would be another transition, and the request would be overtaken by it."""
    progression = begin(*SHORT)
    record_traffic(progression.version, at=watch.turn(minutes=5), requests=200, error_rate=0.1)
    rollbacks.request_if_degraded(progression.version, now=watch.now)

    watch.pass_step(progression.version, minutes=5, requests=90_000, error_rate=0.0)

    assert at(progression) == ("canary", 5, "running")
    assert progression.waits_for == ["Its rollback has been requested."]


def test_a_gate_that_refuses_is_waited_for_with_its_blockers(
    begin: Begin, watch: Watch, rob: User
) -> None:
    progression = begin(*SHORT)
    reviews.settle_check(progression.version, Check.BIAS, verdict=CheckVerdict.FAIL, reviewer=rob)

    watch.pass_step(progression.version)
    watch.turn(seconds=10)
    watch.beat()

    assert at(progression) == ("canary", 5, "waiting")
    assert progression.waits_for[0].startswith("The bias check is fail, says rob")
    assert told(progression).count("progression.waiting") == 1
    waiting = Event.objects.get(event_type="progression.waiting")
    assert "rob" not in str(waiting.payload)

    settle_both(progression.version, rob)
    watch.pass_step(progression.version, minutes=1)

    assert at(progression) == ("canary", 50, "running")


def test_tier_high_waits_for_its_signatures_and_people_are_called(
    begin: Begin, watch: Watch
) -> None:
    progression = begin(*SHORT)
    ModelFamily.objects.update(risk_tier=RiskTier.HIGH)

    watch.pass_step(progression.version, minutes=70, by_job=True)
    watch.pass_step(progression.version, minutes=1, by_job=True)

    assert at(progression) == ("canary", 5, "waiting")
    assert any("signatures for canary" in said for said in progression.waits_for)
    assert Incident.objects.filter(kind="progress_stalled").count() == 1
    with pytest.raises(PromotionBlocked):
        steering.advance(progression.version, actor="user:7", now=watch.now)


@pytest.mark.parametrize(("by_job", "waits"), [(False, "requests"), (True, "signatures for")])
def test_at_tier_high_a_step_is_over_by_what_serving_tokens_report(
    begin: Begin, watch: Watch, by_job: bool, waits: str
) -> None:
    progression = begin(*SHORT)
    ModelFamily.objects.update(risk_tier=RiskTier.HIGH)

    watch.pass_step(progression.version, by_job=by_job)

    assert at(progression) == ("canary", 5, "waiting" if by_job else "running")
    assert waits in " ".join(progression.waits_for)


def test_whoever_changes_the_share_takes_over(begin: Begin, watch: Watch) -> None:
    progression = begin(*SHORT)
    version = progression.version
    promotions.promote(version, to=Stage.CANARY, actor="user:7", canary_percentage=Decimal(3))

    watch.pass_step(version)
    paused = at(progression)
    reasons = progression.waits_for
    steering.resume(version, actor="user:7", now=watch.now)

    assert paused == ("canary", 3, "paused")
    assert reasons == ["Its share was changed to 3 % meanwhile."]
    assert at(progression) == ("canary", 5, "running")


def test_resuming_overtakes_no_rollback_that_was_requested(begin: Begin, watch: Watch) -> None:
    version = begin(*SHORT).version
    steering.pause(version, actor="user:7", now=watch.now)
    record_traffic(version, at=watch.turn(minutes=5), error_rate=0.2)
    rollbacks.request_if_degraded(version, now=watch.now)

    with pytest.raises(Conflict, match="has been requested"):
        steering.resume(version, actor="user:7", now=watch.now)


def test_a_canary_begins_where_it_is(begin: Begin, watch: Watch) -> None:
    progression = begin(stage="canary")

    assert progression.position == 1
    assert at(progression) == ("canary", 10, "running")


def test_what_cannot_begin_is_refused(begin: Begin, watch: Watch, make_version: Maker) -> None:
    def start(version: ModelVersion, *asked: Step) -> Any:
        return steering.start(version, asked=asked or SHORT, actor="user:1", now=watch.now)

    with pytest.raises(TransitionRefused, match="cannot move from development to canary"):
        start(make_version())
    with pytest.raises(PromotionBlocked):
        start(make_version("sandbox"))
    with pytest.raises(Unprocessable, match="Each step's share is larger"):
        start(make_version("sandbox"), Step(50), Step(5))
    with pytest.raises(Conflict, match="has 60 % of the traffic already"):
        start(make_version("canary", share=60))
    with pytest.raises(Conflict, match="is progressing already"):
        start(begin(*SHORT).version)


def test_a_version_that_was_retried_begins_anew_before_beat_has_looked(
    begin: Begin, watch: Watch
) -> None:
    first = begin(*SHORT)
    version = first.version
    rollbacks.roll_back(version, actor="user:7", now=watch.now, reason="No.")

    promotions.promote(version, to=Stage.SANDBOX, actor="user:7")

    second = steering.start(version, asked=SHORT, actor="user:7", now=watch.now)

    assert at(first)[2] == "aborted"
    assert at(second) == ("canary", 5, "running")


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        ("state = 'done'", "finished_progressions_have_an_end"),
        ("state = 'paused'", "paused_progressions_say_since_when"),
    ],
)
def test_the_database_holds_the_states(begin: Begin, broken: str, name: str) -> None:
    begin(*SHORT)

    with pytest.raises(IntegrityError, match=name), connection.cursor() as cursor:
        cursor.execute(f"update governance_progression set {broken}")
