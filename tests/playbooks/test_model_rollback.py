"""The playbook ``model_rollback``: from the request to the verified recovery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance import gates
from monitoring import rollbacks
from monitoring.models import Incident, PlaybookRun
from monitoring.playbooks import runs, shelf
from registry import routing
from registry.ledger import deliveries, subscriptions
from registry.models import Delivery, DeploymentStage, Event, ModelVersion
from registry.webhooks import endpoints
from tests.conftest import NOW, take
from tests.monitoring.makers import enter, report
from tests.playbooks.makers import begin, book, pass_time, said, states, worry

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

SWITCHED = [
    ("freeze promotions", "done"),
    ("switch stage", "done"),
    ("publish traffic", "done"),
    ("open incident", "done"),
    ("let promotions through", "done"),
]


def ask_and_deliver(version: ModelVersion) -> PlaybookRun:
    """The monitor asks for a rollback, and the request is delivered."""
    report(version, error_rate=0.5)
    rollbacks.request_if_degraded(version, now=NOW)
    deliver()
    return PlaybookRun.objects.get(event__version=version)


def deliver() -> None:
    while deliveries.deliver_to_verbs(now=timezone.now):
        pass


def send() -> None:
    while deliveries.send_outside(now=timezone.now):
        pass


def look_again(run: PlaybookRun, *, minutes: float = 6) -> Event:
    """Let the time pass until recovery is looked at; what was found."""
    pass_time(since=timezone.now() + timedelta(minutes=1))
    pass_time(since=timezone.now() + timedelta(minutes=minutes + 1))
    run.refresh_from_db()
    return Event.objects.get(event_type="model.recovery.checked")


def test_the_delivery_itself_switches_stage_traffic_and_opens_the_incident(
    make_version: Maker,
) -> None:
    former = make_version("production")
    sick = enter(make_version("production"))

    run = ask_and_deliver(sick)

    found = runs.results(run)
    assert states(run)[:5] == SWITCHED
    assert (run.state, run.frozen_family) == ("running", None)
    assert found["restored_model_id"] == former.model_id
    assert found["incident_id"] == Incident.objects.get().pk
    assert found["traffic_revision"] == routing.plan_of(sick.family).revision


def test_the_run_waits_until_people_have_been_told(make_version: Maker) -> None:
    run = ask_and_deliver(enter(make_version("canary")))

    pass_time(since=timezone.now())
    step = run.steps.get(kind="notify_owners")
    assert (step.state, step.attempts) == ("pending", 1)

    send()
    pass_time(since=timezone.now() + timedelta(minutes=1))
    step.refresh_from_db()
    assert step.state == "done"
    assert step.result["channels"] == ["inbox", "log", "mail"]


def test_a_webhook_that_is_away_keeps_no_run_from_its_end(
    make_version: Maker, settings: Any
) -> None:
    settings.ASSAY_WEBHOOK_ALLOW = ["127.0.0.0/8"]
    endpoints.create(url="http://127.0.0.1:9/", event_types=["incident.opened"], actor="user:1")
    run = ask_and_deliver(enter(make_version("canary")))

    send()
    pass_time(since=timezone.now())

    step = run.steps.get(kind="notify_owners")
    assert (step.state, step.error) == ("done", "")
    assert step.result["channels"] == ["inbox", "log", "mail"]


def test_a_run_fails_when_every_channel_has_given_up(make_version: Maker) -> None:
    run = ask_and_deliver(enter(make_version("canary")))
    event = Event.objects.get(event_type="incident.opened")
    event.deliveries.update(state="parked")

    pass_time(since=timezone.now())

    run.refresh_from_db()
    assert run.state == "failed"
    assert "No channel carried the announcement" in run.error
    assert said("model.rolled_back") == 1  # what was done stays done


@pytest.mark.parametrize(
    ("figures", "recovered"),
    [({}, "yes"), ({"error_rate": 0.5}, "no"), ({"num_requests": 3}, "unknown")],
)
def test_recovery_is_judged_by_whoever_answers_now(
    make_version: Maker, figures: dict[str, Any], recovered: str
) -> None:
    former = make_version("production")
    run = ask_and_deliver(enter(make_version("production")))
    send()
    former.refresh_from_db()
    report(former, at=timezone.now() + timedelta(minutes=6), **figures)

    event = look_again(run)

    assert event.payload["recovered"] == recovered
    assert event.payload["answering"] == former.model_id
    assert (run.state, event.version) == ("done", run.version)


def test_a_canary_s_family_has_recovered_when_production_is_well(make_version: Maker) -> None:
    production = make_version("production")
    run = ask_and_deliver(enter(make_version("canary")))
    send()
    report(production, at=timezone.now() + timedelta(minutes=6))

    assert look_again(run).payload["recovered"] == "yes"


def test_where_nobody_answers_nothing_is_known_of_recovery(make_version: Maker) -> None:
    run = ask_and_deliver(enter(make_version("canary")))
    send()

    assert look_again(run).payload["recovered"] == "unknown"


def test_a_program_that_heard_of_it_is_no_owner(make_version: Maker) -> None:
    subscriptions.subscribe(
        "watcher", event_types=["incident.opened"], actor="user:1", guard=lambda _: None
    )
    run = ask_and_deliver(enter(make_version("canary")))
    announced = Delivery.objects.filter(event__event_type="incident.opened")
    announced.exclude(subscriber="subscription:watcher").update(state="parked")
    announced.filter(subscriber="subscription:watcher").update(state="done")

    pass_time(since=timezone.now())

    run.refresh_from_db()
    assert run.state == "failed"


def test_recovery_is_not_looked_at_before_its_time(make_version: Maker) -> None:
    run = ask_and_deliver(enter(make_version("canary")))
    send()
    then = pass_time(since=timezone.now() + timedelta(minutes=1))

    pass_time(299, since=then)
    assert said("model.recovery.checked") == 0
    pass_time(300, since=then)
    assert said("model.recovery.checked") == 1
    run.refresh_from_db()
    assert run.state == "done"


def test_a_rollback_by_hand_is_taken_over_and_done_once(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    outcome = rollbacks.roll_back(canary, actor="user:1", now=NOW, reason="complaints")

    deliver()

    run = PlaybookRun.objects.get()
    assert states(run)[:5] == SWITCHED
    assert runs.results(run)["taken_over"] is True
    assert outcome.incident is not None
    assert runs.results(run)["incident_id"] == outcome.incident.pk
    assert (said("model.rolled_back"), Incident.objects.count()) == (1, 1)
    assert Incident.objects.get().breaches == 1


def test_a_request_overtaken_by_a_withdrawal_stops_the_run(make_version: Maker) -> None:
    canary = enter(make_version("canary"))
    report(canary, error_rate=0.5)
    rollbacks.request_if_degraded(canary, now=NOW)
    take(canary, "sandbox")

    deliver()

    run = PlaybookRun.objects.get()
    assert (run.state, said("model.rolled_back")) == ("stopped", 0)
    assert states(run)[1:] == [(name, "skipped") for name, _ in states(run)[1:]]
    assert run.frozen_family is None


def test_promotions_are_held_while_a_run_holds_the_family(make_version: Maker) -> None:
    version, other = make_version("canary", share=5), make_version("canary", name="Another")
    hold = "{name: hold, do: freeze}"
    go_on = "{name: go on, do: thaw, after_minutes: 5}"
    run = begin(book(hold, go_on), worry(version))
    held = f"The playbook run plain #{run.pk} holds promotions of this model"

    def blocked(model: ModelVersion) -> bool:
        found = gates.blockers(model, DeploymentStage.PRODUCTION, now=NOW)
        return any(sentence.startswith(held) for sentence in found)

    assert (blocked(version), blocked(other)) == (True, False)
    pass_time(301)
    assert not blocked(version)


def test_a_frozen_family_may_still_be_rolled_back(make_version: Maker) -> None:
    version = make_version("canary")
    wait = "{name: go on, do: thaw, after_minutes: 5}"
    begin(book("{name: hold, do: freeze}", wait), worry(version))

    rollbacks.roll_back(version, actor="user:1", now=NOW, reason="sick")

    version.refresh_from_db()
    assert version.stage == "rollback"


def test_traffic_that_is_not_that_of_the_stages_is_mended(make_version: Maker) -> None:
    version = make_version("canary")
    plan = routing.plan_of(version.family)
    plan.targets = []
    plan.save()

    run = begin(book("{name: see, do: publish_traffic}"), worry(version))

    plan.refresh_from_db()
    assert [target["model_id"] for target in plan.targets] == [version.model_id]
    assert runs.results(run) == {"traffic_revision": plan.revision}


def test_the_playbook_is_stored_with_the_run(make_version: Maker) -> None:
    run = ask_and_deliver(enter(make_version("canary")))
    book_now = shelf.shelf().playbooks["model_rollback"]

    assert (run.definition, run.digest) == (book_now.text, book_now.digest)
