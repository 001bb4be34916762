"""Whatever a receiver does, an event reaches it at least once, or is parked where people see it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from assay import webhooks as standard
from registry.ledger import deliveries, events
from registry.models import Delivery, DeliveryState, Event, Webhook, WebhookAttempt
from registry.webhooks import delivering, endpoints, sending
from tests.webhooks.conftest import NOTED
from tests.webhooks.receiver import receiving

Make = Callable[..., tuple[Webhook, str]]

pytestmark = pytest.mark.django_db


def note(**payload: object) -> Event:
    return events.record(NOTED, actor="user:1", payload=payload)


def send(hook: Webhook, *, later: timedelta = timedelta(0)) -> int:
    """What the worker does in its turn, now or some time later."""
    now = timezone.now() + later
    until = now + timedelta(seconds=1)
    moments = iter([now] * 1000)
    return deliveries.send_to_webhook(
        endpoints.subscriber(hook), now=lambda: next(moments), until=until
    )


def owed(hook: Webhook) -> Delivery:
    return Delivery.objects.get(subscriber=endpoints.subscriber(hook))


def test_an_event_arrives_signed_with_its_type_its_time_and_its_payload(make_webhook: Make) -> None:
    with receiving() as receiver:
        hook, secret = make_webhook(receiver.url)
        event = note(number=7)

        assert send(hook) == 1

    headers, body = receiver.got[0]
    standard.verify(secret, headers, body)
    assert receiver.messages == [
        {
            "type": NOTED,
            "timestamp": event.timestamp.isoformat(),
            "data": {"event_id": event.pk, "number": 7},
        }
    ]
    assert owed(hook).state == DeliveryState.DONE
    assert [(a.status, a.error) for a in hook.attempts.all()] == [(204, "")]


def test_only_events_of_its_types_are_owed_and_only_while_it_is_enabled(make_webhook: Make) -> None:
    with receiving() as receiver:
        hook, _ = make_webhook(receiver.url, "team.noted", "team.met")
        events.record("team", actor="user:1")
        events.record("team.noted.twice", actor="user:1")
        endpoints.change(hook, {"enabled": False}, actor="user:1")
        note()

    assert not Delivery.objects.filter(subscriber=endpoints.subscriber(hook)).exists()


def test_a_whole_family_of_types_may_be_asked_for_and_replayed(make_webhook: Make) -> None:
    with receiving() as receiver:
        hook, _ = make_webhook(receiver.url, "team.*")
        told = [
            events.record(name, actor="user:1")
            for name in ("team.noted", "teams.noted", "team.met.again", "club.noted")
        ]
        for _ in range(2):
            send(hook)
        count = endpoints.replay(
            hook, since=told[0].timestamp, until=timezone.now(), now=timezone.now()
        )

    assert receiver.ids == [f"msg_{told[0].pk}", f"msg_{told[2].pk}"]
    assert count == 2


def test_a_failure_is_tried_again_later_with_the_same_id(make_webhook: Make) -> None:
    with receiving(statuses=[500, 204]) as receiver:
        hook, _ = make_webhook(receiver.url)
        event = note()

        assert (send(hook), send(hook), send(hook, later=timedelta(seconds=6))) == (0, 0, 1)

    assert receiver.ids == [f"msg_{event.pk}"] * 2
    assert [a.status for a in hook.attempts.all()] == [204, 500]


def test_pauses_grow_as_the_specification_suggests_and_the_tenth_failure_parks(
    make_webhook: Make,
) -> None:
    with receiving(statuses=[503]) as receiver:
        hook, _ = make_webhook(receiver.url)
        note()
        waited = timedelta(0)
        pauses = []
        for _ in range(9):
            before = timezone.now() + waited
            assert send(hook, later=waited) == 0
            due = owed(hook).due_at
            pauses.append(due - before)
            waited += due - before + timedelta(seconds=1)
        assert owed(hook).state == DeliveryState.OWED
        send(hook, later=waited)

    assert owed(hook).state == DeliveryState.PARKED
    assert len(receiver.got) == 10
    for pause, suggested in zip(pauses, delivering.PAUSES, strict=True):
        assert suggested <= pause + timedelta(seconds=1)
        assert pause <= suggested * 1.1 + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("asked", "seconds"), [("120", 120), ("0", 5), ("9999999", 86_400), ("soon", None), ("", None)]
)
def test_retry_after_is_honoured_within_a_day(
    make_webhook: Make, asked: str, seconds: int | None
) -> None:
    with receiving(statuses=[429], headers={"Retry-After": asked}) as receiver:
        hook, _ = make_webhook(receiver.url)
        note()
        before = timezone.now()
        send(hook)

    pause = (owed(hook).due_at - before).total_seconds()
    assert pause == pytest.approx(seconds or 5, abs=2)


def test_retry_after_may_be_a_date() -> None:
    now = datetime.fromisoformat("2026-01-31T12:00:00+00:00")

    assert delivering._asked_pause("Sat, 31 Jan 2026 12:10:00 GMT", now) == timedelta(minutes=10)


def test_gone_disables_the_webhook_and_parks_what_it_was_owed(make_webhook: Make) -> None:
    with receiving(statuses=[410]) as receiver:
        hook, _ = make_webhook(receiver.url)
        note()
        send(hook)
        note()

    hook.refresh_from_db()
    assert hook.disabled_why == "It answered 410 Gone."
    assert owed(hook).state == DeliveryState.PARKED
    assert len(receiver.got) == 1
    assert Event.objects.filter(event_type="webhook.disabled").exists()


def test_a_redirect_is_an_answer_and_is_not_followed(make_webhook: Make) -> None:
    with (
        receiving() as elsewhere,
        receiving(statuses=[307], headers={"Location": elsewhere.url}) as receiver,
    ):
        hook, _ = make_webhook(receiver.url)
        note()

        assert send(hook) == 0

    assert elsewhere.got == []
    assert owed(hook).last_error == "The receiver answered 307."


def test_a_receiver_that_is_down_is_tried_again(make_webhook: Make) -> None:
    with receiving() as receiver:
        port = receiver.port
    hook, _ = make_webhook(f"http://127.0.0.1:{port}/hook")
    note()
    assert send(hook) == 0
    assert "ConnectionRefusedError" in owed(hook).last_error

    with receiving(port=port) as receiver:
        assert send(hook, later=timedelta(seconds=6)) == 1

    assert len(receiver.got) == 1


def test_a_receiver_that_never_stops_answering_is_hung_up_on(
    make_webhook: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.5)
    with receiving(statuses=[200], drip=True) as receiver:
        hook, _ = make_webhook(receiver.url)
        note()
        began = time.monotonic()

        assert send(hook) == 1  # it had accepted

        assert time.monotonic() - began < 1.8


def test_a_slow_receiver_is_hung_up_on(make_webhook: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.5)
    with receiving(pause=2.0) as receiver:
        hook, _ = make_webhook(receiver.url)
        note()
        began = time.monotonic()

        assert send(hook) == 0

        assert time.monotonic() - began < 1.8
    assert "within 0.5 s" in owed(hook).last_error


def test_a_name_that_moves_to_a_private_address_is_not_followed_there(
    make_webhook: Make, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checked when it was made, and again when it is sent. The resolver is the process's edge."""
    moved = {"to": "8.8.8.8"}

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (moved["to"], port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    settings.ASSAY_WEBHOOK_ALLOW = []
    hook, _ = endpoints.create(
        url="https://moves.example/hook", event_types=[NOTED], actor="user:1"
    )
    note()
    moved["to"] = "127.0.0.1"

    assert send(hook) == 0

    assert "moves.example is 127.0.0.1, which is no public address" in owed(hook).last_error


def test_what_was_checked_is_what_is_connected_to(
    make_webhook: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that would resolve elsewhere a moment later is not asked twice."""
    asked: list[str] = []
    truly = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return truly("127.0.0.1", *rest, **more)

    with receiving() as receiver:
        hook, _ = make_webhook(receiver.url)
        Webhook.objects.filter(pk=hook.pk).update(
            url=receiver.url.replace("127.0.0.1", "rebinds.example")
        )
        note()
        monkeypatch.setattr(socket, "getaddrinfo", resolve)

        assert send(hook) == 1

    assert asked.count("rebinds.example") == 1
    assert receiver.got[0][0]["host"].startswith("rebinds.example")


def test_both_secrets_sign_for_a_day_after_a_rotation(make_webhook: Make) -> None:
    with receiving() as receiver:
        hook, former = make_webhook(receiver.url)
        hook, secret = endpoints.rotate(hook, actor="user:1", now=timezone.now())
        note()
        send(hook)
        Webhook.objects.update(former_until=timezone.now())
        note()
        send(hook)

    (first, body), (second, later) = receiver.got
    standard.verify(former, first, body)
    standard.verify(secret, first, body)
    standard.verify(secret, second, later)
    with pytest.raises(standard.WebhookRefused):
        standard.verify(former, second, later)


def test_secrets_are_not_readable_in_the_database(make_webhook: Make) -> None:
    with receiving() as receiver:
        hook, secret = make_webhook(receiver.url)

    hook.refresh_from_db()
    assert secret not in hook.secret
    assert secret.removeprefix("whsec_") not in hook.secret


def test_another_secret_key_says_that_the_secret_must_be_rotated(
    make_webhook: Make, settings: Any
) -> None:
    with receiving() as receiver:
        hook, _ = make_webhook(receiver.url)
        note()
        settings.SECRET_KEY = "another"
        send(hook)

    assert "sealed under another ASSAY_SECRET_KEY" in owed(hook).last_error
    assert receiver.got == []


def test_a_delivery_that_arrived_may_be_sent_again(make_webhook: Make) -> None:
    with receiving() as receiver:
        hook, _ = make_webhook(receiver.url)
        note()
        send(hook)

        endpoints.retry(hook, owed(hook).pk, now=timezone.now())
        send(hook)

    assert len(set(receiver.ids)) == 1
    assert len(receiver.got) == 2


def test_a_time_is_replayed_also_to_a_webhook_that_was_not_there_then(make_webhook: Make) -> None:
    earlier = [note(number=n) for n in range(3)]
    events.record("team.other", actor="user:1")
    with receiving() as receiver:
        hook, _ = make_webhook(receiver.url)
        since = earlier[1].timestamp

        count = endpoints.replay(hook, since=since, until=timezone.now(), now=timezone.now())
        send(hook)

    assert count == 2
    assert receiver.ids == [f"msg_{event.pk}" for event in earlier[1:]]


def test_a_webhook_with_a_message_on_its_way_is_left_alone(make_webhook: Make) -> None:
    with receiving() as receiver:
        slow, _ = make_webhook(receiver.url)
        quick, _ = make_webhook(receiver.url)
        note()
        note()
        now = timezone.now()
        first = Delivery.objects.filter(subscriber=endpoints.subscriber(slow)).order_by("pk")[0]
        Delivery.objects.filter(pk=first.pk).update(
            lease="00000000-0000-0000-0000-000000000001", leased_until=now + timedelta(seconds=30)
        )

    assert deliveries.webhooks_owed(now=now) == [endpoints.subscriber(quick)]


def test_what_a_removed_webhook_was_owed_is_parked(make_webhook: Make) -> None:
    with receiving() as receiver:
        hook, _ = make_webhook(receiver.url)
        note()
        delivery = owed(hook)
        endpoints.remove(hook, actor="user:1")

    delivery.refresh_from_db()
    assert (delivery.state, delivery.last_error) == ("parked", "The webhook was removed.")


def test_attempts_are_kept_for_thirty_days(make_webhook: Make) -> None:
    with receiving() as receiver:
        hook, _ = make_webhook(receiver.url)
        note()
        send(hook)

    now = timezone.now()
    assert endpoints.forget_attempts(now=now + timedelta(days=29)) == 0
    assert endpoints.forget_attempts(now=now + timedelta(days=31)) == 1
    assert not WebhookAttempt.objects.exists()


def test_mail_and_handlers_never_wait_for_webhooks(make_webhook: Make) -> None:
    with receiving() as receiver:
        hook, _ = make_webhook(receiver.url)
        note()

    assert deliveries.send_outside(now=timezone.now) == 0
    assert owed(hook).attempts == 0
