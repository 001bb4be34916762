"""Webhooks over HTTP: the secret is shown once, and everything else may be seen again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from registry.ledger import deliveries, events
from registry.models import Delivery, Event, KeptAnswer, Webhook
from registry.webhooks import endpoints
from tests.webhooks.conftest import NOTED
from tests.webhooks.receiver import Receiver, receiving

ROOT = "/api/model-registry/webhooks"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]


@pytest.fixture
def operator(api: Callable[..., APIClient]) -> APIClient:
    return api("operator", username="otto")


def made(operator: APIClient, url: str, *types: str) -> dict[str, Any]:
    answer = operator.post(ROOT, {"url": url, "event_types": types or [NOTED]}, format="json")
    assert answer.status_code == 201, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def pay() -> None:
    """What the worker does."""
    until = timezone.now() + timedelta(seconds=5)
    for name in deliveries.webhooks_owed(now=timezone.now()):
        deliveries.send_to_webhook(name, now=timezone.now, until=until)


def test_the_secret_is_shown_where_it_is_made_and_nowhere_else(operator: APIClient) -> None:
    with receiving() as receiver:
        hook = made(operator, receiver.url)

    shown = operator.get(f"{ROOT}/{hook['webhook_id']}").json()
    assert hook.pop("secret").startswith("whsec_")
    assert shown == hook
    assert operator.get(ROOT).json() == {"webhooks": [hook]}


@pytest.mark.parametrize("url", ["https://[::1/hook", "https://[abc]/", "https://8.8.8.8/hük"])
def test_a_url_that_nobody_can_be_asked_at_is_refused(operator: APIClient, url: str) -> None:
    answer = operator.post(ROOT, {"url": url, "event_types": [NOTED]}, format="json")

    assert answer.status_code == (422 if url.isascii() else 400)
    assert answer.json()["errors"][0]["pointer"] == "/url"


def test_a_secret_that_is_kept_for_a_repeat_is_sealed_too(operator: APIClient) -> None:
    with receiving() as receiver:
        asked = {"url": receiver.url, "event_types": [NOTED]}
        first = operator.post(ROOT, asked, format="json", headers={"Idempotency-Key": "once"})
        again = operator.post(ROOT, asked, format="json", headers={"Idempotency-Key": "once"})

    assert again.json() == first.json()
    assert first.json()["secret"] not in KeptAnswer.objects.get().body


def test_a_private_address_is_refused_with_the_remedy(operator: APIClient, settings: Any) -> None:
    settings.ASSAY_WEBHOOK_ALLOW = []

    asked = {"url": "http://127.0.0.1:9/", "event_types": [NOTED]}
    answer = operator.post(ROOT, asked, format="json")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/url"
    assert "ASSAY_WEBHOOK_ALLOW" in answer.json()["detail"]
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "http://127.0.0.1/"},
        {"url": "http://127.0.0.1/", "event_types": []},
        {"url": "http://127.0.0.1/", "event_types": "all"},
        {"url": "http://127.0.0.1/", "event_types": [7]},
        {"url": "http://127.0.0.1/", "event_types": ["*"]},
        {"url": "http://127.0.0.1/", "event_types": ["model.rollback.*"]},
        {"url": "http://127.0.0.1/", "event_types": ["Model.Promoted"]},
        {"url": "http://127.0.0.1/", "event_types": [NOTED], "secret": "mine"},
        {"url": 7, "event_types": [NOTED]},
    ],
)
def test_bad_input_is_named_and_changes_nothing(operator: APIClient, body: Any) -> None:
    assert operator.post(ROOT, body, format="json").status_code == 400
    assert not Webhook.objects.exists()
    assert not Event.objects.filter(event_type__startswith="webhook.").exists()


def test_a_test_message_reaches_this_webhook_alone(operator: APIClient) -> None:
    with receiving() as receiver, receiving() as other:
        hook = made(operator, receiver.url)
        made(operator, other.url)

        answer = operator.post(f"{ROOT}/{hook['webhook_id']}/test")
        pay()

    assert answer.status_code == 202
    assert [message["type"] for message in receiver.messages] == [endpoints.TEST]
    assert other.got == []


def test_what_it_was_sent_is_listed_with_every_attempt(operator: APIClient) -> None:
    with receiving(statuses=[500]) as receiver:
        hook = made(operator, receiver.url)
        event = events.record(NOTED, actor="user:1")
        pay()

    (delivery,) = operator.get(f"{ROOT}/{hook['webhook_id']}/deliveries").json()["deliveries"]
    assert (delivery["event_id"], delivery["state"], delivery["attempts"]) == (event.pk, "owed", 1)
    assert [attempt["status"] for attempt in delivery["log"]] == [500]


def test_the_list_of_deliveries_takes_the_same_queries_for_few_and_many(
    operator: APIClient,
) -> None:
    with receiving() as receiver:
        hook = made(operator, receiver.url)
        path = f"{ROOT}/{hook['webhook_id']}/deliveries"
        counts = [_queries(operator, path)]
        for _ in range(12):
            events.record(NOTED, actor="user:1")
        pay()
        counts.append(_queries(operator, path))

    assert counts[1] <= counts[0] + 1  # the attempts, of all deliveries at once


def _queries(client: APIClient, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_it_is_changed_disabled_enabled_and_removed(operator: APIClient) -> None:
    with receiving() as receiver:
        hook = made(operator, receiver.url)
        path = f"{ROOT}/{hook['webhook_id']}"

        off = operator.patch(path, {"enabled": False}, format="json").json()
        tried = operator.post(f"{path}/test")
        on = operator.patch(path, {"enabled": True, "description": "x"}, format="json").json()
        removed = operator.delete(path)

    assert (off["enabled"], off["disabled_why"]) == (False, "Somebody disabled it.")
    assert tried.status_code == 409
    assert (on["enabled"], on["description"], on["revision"]) == (True, "x", 3)
    assert removed.status_code == 204
    assert operator.get(path).status_code == 404


def test_a_disabled_webhook_is_replayed_nothing_until_it_is_enabled(operator: APIClient) -> None:
    with receiving() as receiver:
        hook = made(operator, receiver.url)
        event = events.record(NOTED, actor="user:1")
        pay()
        path = f"{ROOT}/{hook['webhook_id']}"
        (delivery,) = operator.get(f"{path}/deliveries").json()["deliveries"]
        operator.patch(path, {"enabled": False}, format="json")

        span = {"since": event.timestamp.isoformat(), "until": timezone.now().isoformat()}
        replayed = operator.post(f"{path}/replay", span, format="json")
        retried = operator.post(f"{path}/deliveries/{delivery['delivery_id']}/retry")

    assert (replayed.status_code, retried.status_code) == (409, 409)
    assert "Enable it first" in replayed.json()["detail"]
    assert Delivery.objects.get(pk=delivery["delivery_id"]).state == "done"


def test_a_rotation_shows_the_new_secret_and_until_when_the_former_signs(
    operator: APIClient,
) -> None:
    with receiving() as receiver:
        hook = made(operator, receiver.url)
    answer = operator.post(f"{ROOT}/{hook['webhook_id']}/rotate-secret").json()

    assert answer["secret"] != hook["secret"]
    until = datetime.fromisoformat(answer["former_secret_until"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)


def test_replay_and_retry_send_again(operator: APIClient) -> None:
    with receiving() as receiver:
        hook = made(operator, receiver.url)
        event = events.record(NOTED, actor="user:1")
        pay()
        path = f"{ROOT}/{hook['webhook_id']}"
        (delivery,) = operator.get(f"{path}/deliveries").json()["deliveries"]

        span = {"since": event.timestamp.isoformat(), "until": timezone.now().isoformat()}
        replayed = operator.post(f"{path}/replay", span, format="json")
        pay()
        retried = operator.post(f"{path}/deliveries/{delivery['delivery_id']}/retry")
        pay()

    assert (replayed.status_code, replayed.json()) == (202, {"replayed": 1})
    assert retried.status_code == 202
    assert receiver.ids == [f"msg_{event.pk}"] * 3


@pytest.mark.parametrize("role", ["trainer", "serving", "reviewer", "risk_officer"])
def test_only_operators_manage_webhooks(api: Callable[..., APIClient], role: str) -> None:
    client = api(role)

    assert client.get(ROOT).status_code == 403
    assert client.post(ROOT, {}, format="json").status_code == 403


def test_every_change_is_an_event_that_names_no_url(operator: APIClient) -> None:
    with receiving() as receiver:
        hook = made(operator, receiver.url)
        path = f"{ROOT}/{hook['webhook_id']}"
        operator.patch(path, {"description": "x"}, format="json")
        operator.post(f"{path}/rotate-secret")
        operator.delete(path)

    told = list(Event.objects.filter(event_type__startswith="webhook.").order_by("pk"))
    assert [event.event_type for event in told] == [
        "webhook.created",
        "webhook.changed",
        "webhook.secret.rotated",
        "webhook.removed",
    ]
    assert all(Receiver(port=0).url[:12] not in str(event.payload) for event in told)
