"""What a plan is bound to, and who may have one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.access import LOCAL_USER
from governance import promotions
from governance.copilot import askers, conversation
from governance.copilot.replies import Kind, Reply
from governance.models import Approval, CheckResult
from monitoring.models import Incident
from registry import actors, tokens
from registry.errors import InvalidInput, NotAllowed, PreconditionFailed
from registry.models import DeploymentStage, Event, ModelVersion

pytestmark = pytest.mark.django_db

Ask = Callable[..., Reply]
Shop = Mapping[str, ModelVersion]
PROMOTE = "promote fraud detector to canary at 25%"


def stage_of(model_id: str) -> str:
    return ModelVersion.objects.get(model_id=model_id).stage


def test_a_confirmed_plan_cites_what_it_recorded(shop: Shop, ask: Ask, confirm: Ask) -> None:
    done = confirm(ask("roll back churn because it is slow"))

    incident = Incident.objects.get(version=shop["churn_v1"])
    rolled_back = Event.objects.get(version=shop["churn_v1"], event_type="model.rolled_back")
    cited = {record.label: record.url for record in done.records}
    assert cited["churn_v1"] == "/models/churn_v1/"
    assert cited[f"incident {incident.pk}"] == f"/incidents/{incident.pk}/"
    assert f"event {rolled_back.pk} model.rolled_back" in cited
    assert (rolled_back.actor, rolled_back.remark and rolled_back.remark.text) == (
        actors.actor_of(User.objects.get(username="olga")),
        "it is slow",
    )


def test_a_plan_cannot_be_confirmed_twice(shop: Shop, ask: Ask, confirm: Ask) -> None:
    plan = ask(PROMOTE)
    confirm(plan)

    with pytest.raises(PreconditionFailed, match="has changed since"):
        confirm(plan)


def test_a_plan_ends_when_its_version_has_moved_and_come_back(
    shop: Shop, ask: Ask, confirm: Ask
) -> None:
    plan = ask(PROMOTE)
    for stage in (DeploymentStage.DEVELOPMENT, DeploymentStage.SANDBOX):
        promotions.promote(shop["fraud_detector_v2"], to=stage, actor="user:1")

    with pytest.raises(PreconditionFailed):
        confirm(plan)
    assert stage_of("fraud_detector_v2") == "sandbox"


def test_a_plan_ends_when_another_version_of_its_model_has_moved(
    shop: Shop, ask: Ask, confirm: Ask
) -> None:
    plan = ask(PROMOTE)
    promotions.promote(shop["fraud_detector_v3"], to=DeploymentStage.SANDBOX, actor="user:1")

    with pytest.raises(PreconditionFailed):
        confirm(plan)


def test_a_plan_is_its_asker_s(
    shop: Shop, ask: Ask, confirm: Ask, user_with: Callable[..., User]
) -> None:
    plan = ask(PROMOTE)

    with pytest.raises(NotAllowed, match="somebody else"):
        confirm(plan, user=user_with("operator", username="otto"))
    assert stage_of("fraud_detector_v2") == "sandbox"


@pytest.mark.parametrize(("minutes", "holds"), [(4.9, True), (5.1, False)])
def test_a_plan_is_good_for_five_minutes(
    shop: Shop, ask: Ask, operator: User, minutes: float, holds: bool
) -> None:
    asker, now = askers.by_user(operator), timezone.now()
    plan = conversation.ask(PROMOTE, asker, now=now)
    later = now + timedelta(minutes=minutes)

    if holds:
        conversation.confirm(plan.confirmation, asker, now=later)
    else:
        with pytest.raises(InvalidInput, match="too old"):
            conversation.confirm(plan.confirmation, asker, now=later)

    assert (stage_of("fraud_detector_v2") == "canary") is holds


@pytest.mark.parametrize("position", [0, 10, 40, -1])
def test_a_changed_plan_is_no_plan(shop: Shop, ask: Ask, operator: User, position: int) -> None:
    sealed = ask(PROMOTE).confirmation
    other = "A" if sealed[position] != "A" else "B"
    forged = sealed[:position] + other + (sealed[position + 1 :] if position >= 0 else "")

    with pytest.raises(InvalidInput, match="no plan of mine"):
        conversation.confirm(forged, askers.by_user(operator), now=timezone.now())


def test_a_right_that_was_taken_away_is_missed_at_the_confirmation(
    shop: Shop, ask: Ask, confirm: Ask, operator: User
) -> None:
    plan = ask(PROMOTE)
    operator.groups.clear()

    with pytest.raises(NotAllowed):
        confirm(plan, user=User.objects.get(pk=operator.pk))
    assert stage_of("fraud_detector_v2") == "sandbox"


def test_who_may_not_make_a_change_locks_nothing(
    shop: Shop, ask: Ask, confirm: Ask, operator: User, user_with: Callable[..., User]
) -> None:
    stranger = user_with(username="sam")
    plan = ask(PROMOTE)
    operator.groups.clear()

    with CaptureQueriesContext(connection) as asked:
        ask(PROMOTE, user=stranger)
        with pytest.raises(NotAllowed):
            confirm(plan, user=User.objects.get(pk=operator.pk))

    assert [q["sql"] for q in asked.captured_queries if "FOR UPDATE" in q["sql"]] == []


def test_a_gate_that_closed_meanwhile_refuses_the_confirmation(
    shop: Shop, ask: Ask, confirm: Ask
) -> None:
    plan = ask(PROMOTE)
    Approval.objects.filter(version=shop["fraud_detector_v2"]).update(
        withdrawn_at=timezone.now(), withdrawn_by="user:1"
    )

    with pytest.raises(Exception, match="may not enter canary"):
        confirm(plan)
    assert stage_of("fraud_detector_v2") == "sandbox"


def test_a_trainer_may_not_roll_back(shop: Shop, ask: Ask, trainer: User) -> None:
    said = ask("roll back churn because it is slow", user=trainer)

    assert (said.kind, said.confirmation) == (Kind.REFUSAL, "")
    assert "operator" in said.says[0]
    assert ask("promote churn v2 to canary", user=trainer).kind is Kind.PLAN


def test_another_team_s_trainer_gets_no_plan(shop: Shop, ask: Ask, trainer: User) -> None:
    trainer.groups.add(Group.objects.create(name=f"{tokens.TEAM_GROUP}elsewhere"))

    said = ask("promote churn v2 to canary", user=trainer)

    assert (said.kind, said.confirmation) == (Kind.REFUSAL, "")
    assert "elsewhere" in said.says[0]


def test_a_serving_job_may_ask_and_change_nothing(
    shop: Shop, ask: Ask, user_with: Callable[..., User]
) -> None:
    job = user_with("serving", username="sam")

    assert ask("how is churn?", user=job).kind is Kind.ANSWER
    assert ask("retire spam_v1", user=job).kind is Kind.REFUSAL


def test_the_local_user_operates_and_never_reviews(shop: Shop, ask: Ask, confirm: Ask) -> None:
    local = User.objects.get(username=LOCAL_USER)

    confirm(ask("roll back churn", user=local), user=local)

    assert stage_of("churn_v1") == "rollback"
    assert ask("approve churn_v2", user=local).kind is Kind.REFUSAL


@pytest.mark.parametrize(
    "said", ["approve spam_v2", "sign spam_v2", "settle the bias check of spam_v2 as passed"]
)
def test_reviews_are_not_signed_here_by_anybody(
    shop: Shop, ask: Ask, user_with: Callable[..., User], said: str
) -> None:
    reviewer = user_with("reviewer", "risk_officer", "operator", username="rita")
    signed = (Approval.objects.count(), CheckResult.objects.count())

    assert ask(said, user=reviewer).kind is Kind.REFUSAL
    assert (Approval.objects.count(), CheckResult.objects.count()) == signed
