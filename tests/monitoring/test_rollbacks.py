"""From measurements to rollback, restored predecessor, incident and answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from monitoring import answers, assessments, policies, rollbacks, silence, tasks
from monitoring.decisions import Action
from monitoring.models import Incident, RecordedVerdict
from monitoring.playbooks import engine
from monitoring.triggers import Verdict
from registry import attestations, clock, lifecycle
from registry.errors import TransitionRefused
from registry.ledger import deliveries
from registry.models import DeploymentStage, Event, ModelVersion
from tests.conftest import NOW, take
from tests.monitoring.makers import enter, report, report_every

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


def judge(version: ModelVersion, *, seconds: int = 0) -> Action:
    return rollbacks.request_if_degraded(version, now=NOW + timedelta(seconds=seconds))


def deliver() -> None:
    """Let the playbook answer what was asked for."""
    from django.utils import timezone

    while deliveries.deliver_to_verbs(now=timezone.now):
        pass


def requests() -> int:
    return Event.objects.filter(event_type="model.rollback.requested").count()


def test_a_sick_canary_is_taken_out_and_its_share_returns(make_version: Maker) -> None:
    production = enter(make_version("production"))
    canary = enter(make_version("canary"))
    report(canary, error_rate=0.2)

    action = judge(canary)
    deliver()

    canary.refresh_from_db()
    production.refresh_from_db()
    incident = Incident.objects.get()
    assert action is Action.ROLL_BACK
    assert (canary.stage, production.stage) == ("rollback", "production")
    assert (incident.kind, incident.version, incident.severity) == ("rollback", canary, "warning")
    assert incident.reasons == ["error rate 20 % > 5 % over 1,000 requests"]


def test_sick_production_hands_back_to_its_predecessor(make_version: Maker) -> None:
    former = make_version("production")
    sick = enter(make_version("production"))
    report(sick, ood_rate=0.4)

    judge(sick)
    deliver()

    former.refresh_from_db()
    sick.refresh_from_db()
    incident = Incident.objects.get()
    assert (former.stage, sick.stage) == ("production", "rollback")
    assert (incident.restored, incident.severity) == (former, "critical")


def test_production_hands_back_past_versions_that_were_rolled_back_themselves(
    make_version: Maker,
) -> None:
    good = make_version("production")
    bad = make_version("production")
    rollbacks.roll_back(bad, actor="user:1", now=NOW, reason="bad")
    sick = make_version("production")

    outcome = rollbacks.roll_back(sick, actor="user:1", now=NOW, reason="worse")

    assert outcome.restored == good


def test_a_predecessor_whose_attestation_was_revoked_is_not_restored(make_version: Maker) -> None:
    revoked = make_version("production")
    sick = make_version("production")
    for proof in revoked.attestations.all():
        attestations.revoke(proof, actor="user:1", reason="tampered data")

    outcome = rollbacks.roll_back(sick, actor="user:1", now=NOW, reason="sick")

    sick.refresh_from_db()
    assert outcome.restored is None
    assert sick.stage == "rollback"
    assert outcome.incident is not None
    assert outcome.incident.severity == "critical"


def test_without_a_predecessor_the_policy_may_hold(make_version: Maker) -> None:
    sick = enter(make_version("production"))
    policies.change(sick.family, {"without_predecessor": "hold"}, actor="user:1")
    report(sick, error_rate=0.5)

    action = judge(sick)
    deliver()

    sick.refresh_from_db()
    assert (action, sick.stage) == (Action.NOTIFY, "production")
    assert (Incident.objects.get().kind, Incident.objects.get().severity) == ("breach", "critical")


def test_a_degradation_is_asked_about_once_however_often_it_is_judged(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, error_rate=0.2)

    for _ in range(3):
        judge(canary)

    assert requests() == 1


def test_a_delivered_request_that_is_delivered_again_changes_nothing(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, error_rate=0.2)
    judge(canary)
    deliver()
    request = Event.objects.get(event_type="model.rollback.requested")
    before = Event.objects.count()

    engine.answer(request)

    assert Event.objects.count() == before
    assert Incident.objects.count() == 1


def test_a_request_overtaken_by_a_withdrawal_is_stale(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, error_rate=0.2)
    judge(canary)
    take(canary, "sandbox")
    canary.refresh_from_db()
    take(canary, "canary")

    deliver()

    canary.refresh_from_db()
    assert canary.stage == "canary"
    assert not Incident.objects.exists()


def test_a_second_deployment_of_a_version_is_judged_afresh(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, error_rate=0.2)
    judge(canary)
    deliver()
    canary.refresh_from_db()
    take(canary, "sandbox")
    canary.refresh_from_db()
    take(canary, "canary")
    enter(canary, ago=timedelta(minutes=1))
    report(canary, at=NOW + timedelta(seconds=5), error_rate=0.3)

    judge(canary, seconds=10)
    deliver()

    canary.refresh_from_db()
    assert canary.stage == "rollback"
    assert requests() == 2


def test_rows_from_before_the_stage_entry_do_not_count(make_version: Maker) -> None:
    canary = enter(make_version("canary"), ago=timedelta(seconds=30))
    report(canary, at=NOW - timedelta(seconds=60), error_rate=0.9)
    report(canary, at=NOW, error_rate=0.01)

    assert judge(canary) is Action.NONE
    assert assessments.check(canary, now=NOW).verdict is Verdict.OK


def test_rates_are_weighted_by_requests_and_empty_intervals_do_not_count(
    make_version: Maker,
) -> None:
    canary = enter(make_version("canary"))
    report(canary, at=NOW, num_requests=900, error_rate=0.0)
    report(canary, at=NOW - timedelta(seconds=1), num_requests=100, error_rate=0.5)
    report(canary, at=NOW - timedelta(seconds=2), num_requests=0, error_rate=1.0)

    found = assessments.check(canary, now=NOW)

    assert found.triggers[0].value == pytest.approx(0.05)
    assert (found.verdict, found.requests) == (Verdict.OK, 1000)


@pytest.mark.parametrize(("minutes", "verdict"), [(10, Verdict.OK), (20, Verdict.ROLLBACK)])
def test_the_window_has_the_length_asked_for(
    make_version: Maker, minutes: int, verdict: Verdict
) -> None:
    canary = enter(make_version("canary"))
    report_every(canary, [900], num_requests=5000, error_rate=0.5)
    report_every(canary, [10])

    assert assessments.check(canary, now=NOW, window_minutes=minutes).verdict is verdict


def test_latency_is_the_weighted_median_of_p95_from_snapshots_of_five_requests(
    make_version: Maker,
) -> None:
    canary = enter(make_version("canary", expected_latency_p95_ms=100.0))
    report(canary, at=NOW, num_requests=300, latency_p95_ms=120.0)
    report(canary, at=NOW - timedelta(seconds=1), num_requests=100, latency_p95_ms=900.0)
    report(canary, at=NOW - timedelta(seconds=2), num_requests=4, latency_p95_ms=9_000.0)

    latency = assessments.check(canary, now=NOW).triggers[1]

    assert (latency.value, latency.requests, latency.threshold) == (120.0, 400, 150.0)


def test_without_a_declared_latency_production_s_own_is_expected(make_version: Maker) -> None:
    production = enter(make_version("production"))
    report_every(production, [10, 20, 30], latency_p95_ms=80.0)
    canary = enter(make_version("canary"))
    report(canary, latency_p95_ms=121.0)

    latency = assessments.check(canary, now=NOW).triggers[1]

    assert (latency.threshold, latency.verdict) == (120.0, Verdict.ROLLBACK)


def test_every_change_of_verdict_is_kept_with_its_evidence_and_no_repeat(
    make_version: Maker,
) -> None:
    canary = enter(make_version("canary"))
    report(canary, at=NOW - timedelta(seconds=5), num_requests=50)
    judge(canary, seconds=-4)
    judge(canary, seconds=-3)
    report(canary, at=NOW, num_requests=1000, error_rate=0.3)
    judge(canary)

    kept = list(RecordedVerdict.objects.order_by("pk"))
    assert [v.verdict for v in kept] == ["watch", "rollback"]
    assert kept[1].triggers[0]["metric"] == "error_rate"
    assert kept[1].newest_snapshot_at == NOW


def test_a_hand_back_soon_after_another_is_suppressed_with_an_incident(
    make_version: Maker,
) -> None:
    make_version("production")
    second = make_version("production")
    rollbacks.roll_back(second, actor="user:1", now=NOW, reason="sick")
    third = make_version("production")
    moved = third.transitions.first()
    assert moved is not None
    enter(third)
    report(third, at=moved.at, error_rate=0.5)

    action = rollbacks.request_if_degraded(third, now=moved.at + timedelta(seconds=1))

    assert action is Action.SUPPRESS_COOLDOWN
    assert Incident.objects.get(version=third).kind == "rollback_suppressed_cooldown"
    assert requests() == 1  # the one by hand


def test_a_shared_cause_takes_the_canary_out_and_holds_production(make_version: Maker) -> None:
    make_version("production")
    production = enter(make_version("production"))
    canary = enter(make_version("canary"))
    report(production, input_drift_score=0.6)
    report(canary, input_drift_score=0.7)

    action = judge(production)
    deliver()

    production.refresh_from_db()
    canary.refresh_from_db()
    assert action is Action.HOLD_SHARED_CAUSE
    assert (production.stage, canary.stage) == ("production", "rollback")
    assert Incident.objects.get(version=production).kind == "shared_cause"


def test_a_shared_cause_is_seen_when_the_canary_went_first(make_version: Maker) -> None:
    make_version("production")
    production = enter(make_version("production"))
    canary = enter(make_version("canary"))
    report(canary, input_drift_score=0.7)
    judge(canary)
    deliver()
    report(production, at=NOW + timedelta(seconds=30), input_drift_score=0.6)

    action = judge(production, seconds=31)

    assert action is Action.HOLD_SHARED_CAUSE


def test_a_canary_that_shares_the_cause_is_taken_out_for_what_it_breaches(
    make_version: Maker,
) -> None:
    make_version("production")
    production = enter(make_version("production"))
    sharing, healthy = (enter(make_version("canary", share=5)) for _ in range(2))
    report(production, latency_p95_ms=400.0, at=NOW)
    report(sharing, latency_p95_ms=500.0)
    report(healthy)
    ModelVersion.objects.update(expected_latency_p95_ms=100.0)

    judge(production)
    deliver()

    incident = Incident.objects.get(version=sharing)
    assert incident.reasons == ["p95 latency 500 ms > 150 ms over 1,000 requests"]
    healthy.refresh_from_db()
    assert healthy.stage == "canary"


def test_a_shared_cause_holds_production_until_it_has_been_well(make_version: Maker) -> None:
    make_version("production")
    production = enter(make_version("production"))
    canary = enter(make_version("canary"))
    report(canary, input_drift_score=0.7)
    report(production, input_drift_score=0.6)
    judge(production)
    deliver()

    report(production, at=NOW + timedelta(hours=1), input_drift_score=0.6)
    held = judge(production, seconds=3600)
    report(production, at=NOW + timedelta(hours=2))
    well = judge(production, seconds=7200)
    report(production, at=NOW + timedelta(hours=3), input_drift_score=0.6)
    alone = judge(production, seconds=10_800)

    assert (held, well, alone) == (Action.HOLD_SHARED_CAUSE, Action.NONE, Action.ROLL_BACK)


def test_a_cause_is_shared_by_a_canary_that_is_not_yet_beyond_doubt(make_version: Maker) -> None:
    make_version("production")
    production = enter(make_version("production"))
    canary = enter(make_version("canary"))
    policies.change(production.family, {"rule": "evidence"}, actor="user:1")
    report_every(production, range(0, 180, 10), input_drift_score=0.6)
    report_every(canary, range(0, 50, 10), input_drift_score=0.6)

    assert judge(canary) is Action.NONE
    assert judge(production) is Action.HOLD_SHARED_CAUSE


def test_a_dry_run_only_tells(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    policies.change(canary.family, {"dry_run": True}, actor="user:1")
    report(canary, error_rate=0.5)

    assert judge(canary) is Action.NOTIFY
    assert requests() == 0
    assert Incident.objects.get().kind == "breach"


def test_the_sweep_finds_those_to_judge_and_passes_over_the_rest(make_version: Maker) -> None:
    sick = enter(make_version("canary", share=5))
    healthy = enter(make_version("canary", share=5))
    report(sick, error_rate=0.5)
    report(healthy)
    judge(healthy)

    assert assessments.check_serving(now=NOW) == [sick.pk]


def test_a_check_carries_out_what_it_asks_for(make_version: Maker) -> None:
    sick, healthy = make_version("canary"), make_version("canary", name="n", model_id="healthy")
    report(sick, at=clock.now(), error_rate=0.5)
    report(healthy, at=clock.now())

    for version in (sick, healthy):
        tasks.check_version(version.pk)
        version.refresh_from_db()

    assert (sick.stage, healthy.stage) == (DeploymentStage.ROLLBACK, DeploymentStage.CANARY)


def test_the_sweep_s_queries_do_not_grow_with_the_versions(
    make_version: Maker, django_assert_num_queries: Any
) -> None:
    for number in range(4):
        version = enter(make_version("canary", name=f"m{number}", expected_latency_p95_ms=100.0))
        report(version)

    with django_assert_num_queries(3):
        assessments.check_serving(now=NOW)


def test_by_hand_the_reason_is_the_person_s_and_subscribers_hear_of_it(
    make_version: Maker,
) -> None:
    canary = enter(make_version("canary"))

    outcome = rollbacks.roll_back(canary, actor="user:1", now=NOW, reason="complaints")
    deliver()

    assert outcome.reasons == ("complaints",)
    assert requests() == 1
    assert Incident.objects.count() == 1


def test_by_hand_without_a_reason_the_last_breach_stands(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    policies.change(canary.family, {"dry_run": True}, actor="user:1")
    report(canary, error_rate=0.5)
    judge(canary)

    outcome = rollbacks.roll_back(canary, actor="user:1", now=NOW)

    assert outcome.reasons == ("error rate 50 % > 5 % over 1,000 requests",)


def test_by_hand_without_any_reason_none_is_invented(make_version: Maker) -> None:
    outcome = rollbacks.roll_back(make_version("canary"), actor="user:1", now=NOW)

    assert outcome.reasons == ("not given",)


def test_rolling_back_twice_returns_what_was_done(make_version: Maker) -> None:
    canary = make_version("canary")
    first = rollbacks.roll_back(canary, actor="user:1", now=NOW, reason="sick")
    before = Event.objects.count()

    second = rollbacks.roll_back(canary, actor="user:2", now=NOW, reason="again")

    assert second == first
    assert Event.objects.count() == before


def test_a_version_without_traffic_cannot_be_rolled_back(make_version: Maker) -> None:
    with pytest.raises(TransitionRefused, match="cannot move from sandbox to rollback"):
        rollbacks.roll_back(make_version("sandbox"), actor="user:1", now=NOW)
    assert requests() == 0


def test_why_is_answered_from_the_record(make_version: Maker) -> None:
    former = make_version("production")
    sick = enter(make_version("production"))
    report(sick, error_rate=0.5)
    judge(sick)
    deliver()

    why = answers.detail_part([sick])[sick.pk]["rollback"]

    assert why["by"] == "rollback monitor"
    assert why["reasons"] == ["error rate 50 % > 5 % over 1,000 requests"]
    assert why["restored_model_id"] == former.model_id
    assert why["window"]["minutes"] == 10
    assert why["evidence"][0]["value"] == 0.5
    assert why["snapshots_url"].endswith(f"/models/{sick.model_id}/performance")


def test_a_version_never_rolled_back_has_no_why(make_version: Maker) -> None:
    version = make_version("canary")

    assert answers.detail_part([version]) == {version.pk: {"rollback": None}}


def test_ten_silent_minutes_are_an_incident_and_data_resolves_it(make_version: Maker) -> None:
    canary = enter(make_version("canary"), ago=timedelta(minutes=10))

    silence.report(now=NOW - timedelta(seconds=1))
    assert not Incident.objects.exists()

    silence.report(now=NOW)
    silence.report(now=NOW + timedelta(seconds=30))
    incident = Incident.objects.get()
    assert (incident.kind, incident.resolved_at) == ("no_data", None)

    report(canary, at=NOW + timedelta(seconds=40))
    silence.report(now=NOW + timedelta(seconds=60))
    incident.refresh_from_db()
    assert incident.resolved_by == "system:monitor"


def test_silence_is_no_incident_any_more_once_the_version_serves_no_more(
    make_version: Maker,
) -> None:
    canary = enter(make_version("canary"))
    silence.report(now=NOW)
    take(canary, "sandbox")

    silence.report(now=NOW + timedelta(seconds=30))

    incident = Incident.objects.get()
    assert (incident.kind, incident.resolved_by) == ("no_data", "system:monitor")


@pytest.mark.parametrize(("seconds", "opened"), [(599, 0), (600, 1)])
def test_silence_is_an_incident_after_ten_minutes_and_not_before(
    make_version: Maker, seconds: int, opened: int
) -> None:
    canary = enter(make_version("canary"))
    report(canary, at=NOW - timedelta(seconds=seconds))

    silence.report(now=NOW)

    assert Incident.objects.count() == opened


@pytest.mark.parametrize(("seconds", "opened"), [(599, 0), (600, 1)])
def test_ten_minutes_count_from_the_stage_entry(
    make_version: Maker, seconds: int, opened: int
) -> None:
    enter(make_version("canary"), ago=timedelta(seconds=seconds))

    silence.report(now=NOW)

    assert Incident.objects.count() == opened


def test_no_data_neither_rolls_back_nor_is_ok(make_version: Maker) -> None:
    canary = enter(make_version("canary"))

    assert judge(canary) is Action.NONE
    assert assessments.check(canary, now=NOW).verdict is Verdict.NO_DATA


def test_only_serving_versions_are_judged(make_version: Maker) -> None:
    sandbox = enter(make_version("sandbox"))
    report(sandbox, error_rate=0.9)

    assert judge(sandbox) is Action.NONE
    assert not RecordedVerdict.objects.exists()


def test_rollback_beats_promotion(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, error_rate=0.5)
    judge(canary)
    deliver()

    canary.refresh_from_db()
    with pytest.raises(TransitionRefused):
        lifecycle.move(canary, to=DeploymentStage.PRODUCTION, actor="user:1")
