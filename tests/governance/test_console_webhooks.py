"""Webhooks in the console: to be read by those who manage them, without what opens doors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from registry.ledger import events
from registry.models import Delivery, DeliveryState, Webhook, WebhookAttempt
from registry.webhooks import endpoints

pytestmark = pytest.mark.django_db

SECRET_PATH = "services/T0KEN"
LIST, ATTEMPTS = "/admin/registry/webhook/", "/admin/registry/webhookattempt/"


@pytest.fixture
def olga_in(sign_in: Callable[..., Client]) -> Client:
    return sign_in("olga", "operator")


def make_hook(name: str = "a") -> Webhook:
    """A webhook and one attempt that failed."""
    hook = Webhook.objects.create(
        url=f"https://{name}.example/{SECRET_PATH}",
        event_types=["team.noted", "team.met"],
        secret="sealed-secret",
        created_by="user:1",
    )
    event = events.record("team.wrote", actor="user:1")
    delivery = Delivery.objects.create(
        event=event,
        subscriber=endpoints.subscriber(hook),
        state=DeliveryState.PARKED,
        last_error="It answered 503.",
    )
    WebhookAttempt.objects.create(webhook=hook, delivery=delivery, duration_ms=12, status=503)
    return hook


def test_the_list_says_where_what_and_how_it_fared(olga_in: Client) -> None:
    make_hook()
    Webhook.objects.create(
        url="https://new.example/", event_types=["team.met"], secret="s", created_by="user:1"
    )

    page = olga_in.get(LIST).content.decode()

    assert f"https://a.example/{SECRET_PATH}" in page
    assert "team.noted, team.met" in page
    assert "UTC: 503" in page
    assert "never tried" in page


def test_a_disabled_webhook_says_why(olga_in: Client) -> None:
    hook = make_hook()
    endpoints.change(hook, {"enabled": False}, actor="user:1")

    assert "disabled: Somebody disabled it." in olga_in.get(LIST).content.decode()


def test_the_attempts_of_one_webhook_are_listed(olga_in: Client) -> None:
    hook, _other = make_hook("a"), make_hook("b")

    page = olga_in.get(f"{ATTEMPTS}?webhook__id__exact={hook.pk}").content.decode()

    assert "https://a.example" in page
    assert "https://b.example" not in page
    assert "503" in page


@pytest.mark.parametrize(("path", "queries"), [(LIST, 9), (ATTEMPTS, 9)])
def test_the_lists_take_a_fixed_number_of_queries(
    olga_in: Client, django_assert_num_queries: Callable[..., Any], path: str, queries: int
) -> None:
    for name in "abcd":
        make_hook(name)

    with django_assert_num_queries(queries):
        answer = olga_in.get(path)

    assert answer.status_code == 200


def test_one_webhook_is_read_without_its_secrets_and_changed_by_nobody(olga_in: Client) -> None:
    hook = make_hook()
    attempt = WebhookAttempt.objects.get()

    for address in (f"{LIST}{hook.pk}/change/", f"{ATTEMPTS}{attempt.pk}/change/"):
        page = olga_in.get(address)
        assert page.status_code == 200
        assert "sealed-secret" not in page.content.decode()
        assert 'name="_save"' not in page.content.decode()
        assert olga_in.post(address, {"_save": "Save"}).status_code == 403
    assert olga_in.get(f"{LIST}add/").status_code == 403


@pytest.mark.parametrize("path", [LIST, ATTEMPTS])
def test_those_who_do_not_manage_webhooks_do_not_see_them(ada_in: Client, path: str) -> None:
    make_hook()

    assert ada_in.get(path).status_code == 403


def test_a_delivery_names_a_webhook_by_its_place_and_not_by_its_path(ada_in: Client) -> None:
    hook = make_hook()
    delivery = Delivery.objects.get(subscriber=endpoints.subscriber(hook))

    for address in ("/admin/registry/delivery/", f"/admin/registry/delivery/{delivery.pk}/change/"):
        page = ada_in.get(address).content.decode()
        assert "https://a.example/…" in page
        assert SECRET_PATH not in page
    assert str(hook.pk) not in ada_in.get("/admin/registry/delivery/").content.decode()


def test_a_delivery_to_a_webhook_that_is_gone_keeps_its_id(ada_in: Client) -> None:
    hook = make_hook()
    Delivery.objects.create(
        event=events.record("team.left", actor="user:1"), subscriber=f"webhook:{hook.pk}"
    )
    WebhookAttempt.objects.all().delete()
    name = endpoints.subscriber(hook)
    hook.delete()

    assert name in ada_in.get("/admin/registry/delivery/").content.decode()
