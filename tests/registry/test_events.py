"""One record: events, what is owed, and how it is paid."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from registry import actors
from registry.errors import Conflict, InvalidInput
from registry.ledger import bus, debts, deliveries, events, presentation
from registry.models import Delivery, DeliveryState, Event, ModelVersion
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

HEARD: list[int] = []


def listen(event: Event) -> None:
    """A subscriber for tests."""
    HEARD.append(event.pk)


def send(event: Event) -> None:
    """A subscriber outside the product."""
    HEARD.append(event.pk)


def tell(event: Event) -> None:
    """Another subscriber outside the product."""
    HEARD.append(event.pk)


def fail(event: Event) -> None:
    """A subscriber that always fails, after writing something."""
    events.record("team.half_done", actor="system:test")
    raise RuntimeError("no luck today")


SUBSCRIPTIONS = {
    "team.heard": (events.Subscriber("tests.registry.test_events.listen"),),
    "team.failed": (events.Subscriber("tests.registry.test_events.fail"),),
    "club.*": (events.Subscriber("tests.registry.test_events.listen"),),
    "team.told": (events.Subscriber("tests.registry.test_events.tell", events.Kind.OUTSIDE),),
    "team.sent": (events.Subscriber("tests.registry.test_events.send", events.Kind.OUTSIDE),),
}


@pytest.fixture(autouse=True)
def wiring(settings: Any) -> None:
    """The table of this module in place of the product's."""
    settings.ASSAY_SUBSCRIPTIONS = "tests.registry.test_events.SUBSCRIPTIONS"
    HEARD.clear()


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def record(event_type: str) -> Event:
    """Record an event whose deliveries are due by the tests' clock."""
    event = events.record(event_type, actor="user:1", payload={"n": 1})
    event.deliveries.update(due_at=NOW)
    return event


def test_an_event_is_delivered_once_to_a_verb() -> None:
    event = record("team.heard")

    first = deliveries.deliver_to_verbs(now=at(NOW))
    second = deliveries.deliver_to_verbs(now=at(NOW))

    assert (first, second) == (1, 0)
    assert [event.pk] == HEARD
    assert event.deliveries.get().state == DeliveryState.DONE


def test_whoever_asks_for_a_beginning_hears_every_event_that_begins_so() -> None:
    met, left = record("club.met"), record("club.door.left")
    record("clubs.met")

    deliveries.deliver_to_verbs(now=at(NOW))

    assert [met.pk, left.pk] == HEARD


def test_a_transaction_starts_each_task_once_however_much_it_records(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks() as starts:
        with transaction.atomic():
            record("team.heard")
            transaction.set_rollback(True)
        for _ in range(3):
            with transaction.atomic():
                record("team.heard")
        record("team.sent")

    assert [start.args for start in starts] == [(events.VERB_TASK,), (events.OUTSIDE_TASK,)]


def test_an_event_without_subscribers_owes_nothing() -> None:
    assert record("team.unheard").deliveries.count() == 0


def test_a_refused_transaction_leaves_neither_event_nor_delivery() -> None:
    with transaction.atomic():
        record("team.heard")
        transaction.set_rollback(True)

    assert (Event.objects.count(), Delivery.objects.count()) == (0, 0)


def test_a_failing_verb_leaves_no_trace_and_is_tried_again_later() -> None:
    event = record("team.failed")

    deliveries.deliver_to_verbs(now=at(NOW))

    delivery = event.deliveries.get()
    assert (delivery.state, delivery.attempts) == (DeliveryState.OWED, 1)
    assert delivery.last_error == "RuntimeError: no luck today"
    assert delivery.due_at == NOW + timedelta(seconds=2)
    assert not Event.objects.filter(event_type="team.half_done").exists()


def test_ten_failures_park_a_delivery_and_a_retry_owes_it_again() -> None:
    event, now = record("team.failed"), NOW

    for _ in range(10):
        deliveries.deliver_to_verbs(now=at(now))
        now += timedelta(hours=1)

    parked = event.deliveries.get()
    assert (parked.state, parked.attempts) == (DeliveryState.PARKED, 10)

    deliveries.retry(parked, now=now)

    assert event.deliveries.get().state == DeliveryState.OWED


def test_a_failure_does_not_hold_the_next_event_up() -> None:
    record("team.failed")
    heard = record("team.heard")

    assert deliveries.deliver_to_verbs(now=at(NOW)) == 1
    assert [heard.pk] == HEARD


def test_outside_deliveries_are_sent_apart_from_verbs() -> None:
    sent = record("team.sent")

    assert deliveries.deliver_to_verbs(now=at(NOW)) == 0
    assert deliveries.send_outside(now=at(NOW)) == 1
    assert [sent.pk] == HEARD


def test_much_that_is_owed_to_one_outside_keeps_no_other_waiting() -> None:
    for _ in range(20):
        record("team.sent")
    told = record("team.told")

    deliveries.send_outside(now=at(NOW), limit=4)

    assert told.pk in HEARD
    assert sorted(HEARD)[:3] == list(Event.objects.values_list("pk", flat=True)[:3])
    while deliveries.send_outside(now=at(NOW), limit=4):
        pass
    assert sorted(HEARD) == list(Event.objects.values_list("pk", flat=True))


def test_a_leased_delivery_is_left_alone_until_its_lease_runs_out() -> None:
    event = record("team.sent")
    event.deliveries.update(lease=uuid.uuid4(), leased_until=NOW + timedelta(seconds=60))

    assert deliveries.send_outside(now=at(NOW)) == 0
    assert deliveries.send_outside(now=at(NOW + timedelta(seconds=61))) == 1


def test_a_message_that_kills_its_worker_is_parked_like_others_that_fail() -> None:
    """A lease that nobody settles is a failure: the tenth parks, and nothing is sent any more."""
    event = record("team.sent")
    lent = event.deliveries.get()
    for n in range(9):
        assert debts.lend(lent, NOW + timedelta(hours=n))
    lent.refresh_from_db()
    assert (lent.state, lent.attempts) == (DeliveryState.OWED, 8)
    event.deliveries.update(attempts=9)

    assert deliveries.send_outside(now=at(NOW + timedelta(hours=10))) == 0

    parked = event.deliveries.get()
    assert (parked.state, parked.attempts, HEARD) == (DeliveryState.PARKED, 10, [])
    assert "lease ran out again" in parked.last_error


@pytest.mark.parametrize("event_type", ["model.rollback.requested", "incident.opened"])
def test_nobody_else_tells_what_the_registry_records_itself(event_type: str) -> None:
    with pytest.raises(Conflict, match="recorded by the registry itself"):
        bus.publish(event_type, {}, subject=None, actor="user:1")


@pytest.mark.parametrize("event_type", ["retrained", "Team.Retrained"])
def test_an_event_of_one_s_own_has_a_dotted_name(event_type: str) -> None:
    with pytest.raises(InvalidInput, match="event_type"):
        bus.publish(event_type, {}, subject=None, actor="user:1")


def test_people_s_words_stay_out_of_the_event_and_reach_its_readers() -> None:
    event = events.record("team.spoke", actor="user:1", remark=events.remark("too slow"))

    assert "too slow" not in str(event.payload)
    assert event.remark is not None
    assert event.payload["remark_sha256"] == event.remark.sha256
    assert presentation.payload(event)["reasons"] == ["too slow"]


def test_events_name_people_only_when_they_are_read(
    make_version: Callable[..., ModelVersion],
) -> None:
    version = make_version()
    event = version.events.get()

    (shown,) = presentation.events_json([event])

    assert actors.user_id(event.actor) is not None
    assert shown["actor"] == "registrant"
    assert shown["payload"]["model_id"] == version.model_id
