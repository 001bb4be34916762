"""Make, change, rotate and remove webhooks; try, retry and replay what they are owed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from assay import webhooks as standard
from registry import clock, sealing
from registry.errors import Conflict, NotFound, Unprocessable
from registry.ledger import event_types, events
from registry.models import Delivery, DeliveryState, Event, Webhook, WebhookAttempt
from registry.sealing import Purpose
from registry.webhooks import addresses
from registry.webhooks.addresses import AddressRefused

OVERLAP = timedelta(hours=24)  # both secrets sign for as long after a rotation
KEPT_FOR = timedelta(days=30)  # attempts
MOST_REPLAYED = 10_000  # events of one replay
TEST = "webhook.test.requested"


def subscriber(hook: Webhook) -> str:
    """The name that deliveries know it by."""
    return f"{events.WEBHOOK}{hook.pk}"


def key_of(subscriber: str) -> UUID:
    """The webhook that a delivery's subscriber names."""
    return UUID(subscriber.removeprefix(events.WEBHOOK))


def find(pk: UUID) -> Webhook:
    """The webhook of this id.

    Raises:
        NotFound: There is none.
    """
    found = Webhook.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"There is no webhook {pk}.")
    return found


def lock(hook: Webhook) -> Webhook:
    """The webhook read anew, locked until the transaction ends.

    Raises:
        NotFound: It was removed meanwhile.
    """
    found = Webhook.objects.select_for_update().filter(pk=hook.pk).first()
    if found is None:
        raise NotFound(f"There is no webhook {hook.pk}.")
    return found


@transaction.atomic
def create(
    *, url: str, event_types: Sequence[str], description: str = "", actor: str
) -> tuple[Webhook, str]:
    """Owe ``url`` every event of these types from now on.

    Returns:
        The webhook, and its secret, which is shown this once.

    Raises:
        Unprocessable: The URL may not be reached.
    """
    _check_url(url)
    secret = standard.new_secret()
    hook = Webhook.objects.create(
        url=url,
        event_types=list(event_types),
        description=description,
        secret=sealing.seal(secret, Purpose.WEBHOOK_SECRETS),
        created_by=actor,
    )
    _record("webhook.created", hook, actor)
    return hook, secret


@transaction.atomic
def change(hook: Webhook, changes: Mapping[str, Any], *, actor: str) -> Webhook:
    """Change URL, event types, description, or ``enabled``.

    Raises:
        Unprocessable: The new URL may not be reached.
    """
    hook = lock(hook)
    fields = dict(changes)
    if "url" in fields:
        _check_url(fields["url"])
    enabled = fields.pop("enabled", None)
    if enabled is True:
        hook.disabled_at, hook.disabled_why = None, ""
    elif enabled is False and hook.disabled_at is None:
        hook.disabled_at, hook.disabled_why = clock.now(), "Somebody disabled it."
    for name, value in fields.items():
        setattr(hook, name, value)
    hook.revision += 1
    hook.save()
    _record("webhook.changed", hook, actor, fields=sorted(changes))
    return hook


@transaction.atomic
def rotate(hook: Webhook, *, actor: str, now: datetime) -> tuple[Webhook, str]:
    """Give it a new secret; for a day the former one signs as well, so no message is lost."""
    hook = lock(hook)
    secret = standard.new_secret()
    hook.former_secret, hook.former_until = hook.secret, now + OVERLAP
    hook.secret = sealing.seal(secret, Purpose.WEBHOOK_SECRETS)
    hook.revision += 1
    hook.save()
    _record("webhook.secret.rotated", hook, actor)
    return hook, secret


@transaction.atomic
def disable(hook: Webhook, *, why: str, now: datetime) -> None:
    """Send it nothing more until somebody enables it. Twice changes nothing."""
    hook = lock(hook)
    if hook.disabled_at is None:
        hook.disabled_at, hook.disabled_why = now, why
        hook.revision += 1
        hook.save(update_fields=["disabled_at", "disabled_why", "revision"])
        _record("webhook.disabled", hook, "system:webhooks", why=why)


@transaction.atomic
def remove(hook: Webhook, *, actor: str) -> None:
    """Forget a webhook and its attempts; what it was still owed is parked."""
    _record("webhook.removed", hook, actor)
    owed = Delivery.objects.filter(subscriber=subscriber(hook), state=DeliveryState.OWED)
    owed.update(state=DeliveryState.PARKED, last_error="The webhook was removed.")
    hook.delete()


@transaction.atomic
def test(hook: Webhook, *, actor: str) -> Delivery:
    """Send it one message, so that its receiver can be tried.

    Raises:
        Conflict: It is disabled.
    """
    _check_enabled(hook)
    event = _record(TEST, hook, actor)
    return events.owe(event, subscriber(hook))


@transaction.atomic
def retry(hook: Webhook, delivery_pk: int, *, now: datetime) -> Delivery:
    """Owe it one event again, also one that arrived: its id is the same, so receivers know it.

    Raises:
        Conflict: It is disabled.
        NotFound: It was never owed this.
    """
    _check_enabled(hook)
    owed = Delivery.objects.select_for_update().filter(pk=delivery_pk, subscriber=subscriber(hook))
    delivery = owed.first()
    if delivery is None:
        raise NotFound(f"This webhook was never owed a delivery {delivery_pk}.")
    _owe_again([delivery.pk], now)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay(hook: Webhook, *, since: datetime, until: datetime, now: datetime) -> int:
    """Owe it every event of its types from ``since`` to before ``until`` again; how many.

    Raises:
        Conflict: It is disabled.
        Unprocessable: They are over MOST_REPLAYED.
    """
    _check_enabled(hook)
    wanted = Event.objects.filter(
        event_types.among(hook.event_types), timestamp__gte=since, timestamp__lt=until
    )
    found = list(wanted.order_by("pk")[: MOST_REPLAYED + 1])
    if len(found) > MOST_REPLAYED:
        raise Unprocessable.of(
            "until", f"That is over {MOST_REPLAYED} events; take a shorter time."
        )
    name = subscriber(hook)
    Delivery.objects.bulk_create(
        [Delivery(event=event, subscriber=name) for event in found], ignore_conflicts=True
    )
    owed = Delivery.objects.filter(subscriber=name, event__in=found)
    _owe_again(list(owed.values_list("pk", flat=True)), now)
    return len(found)


def forget_attempts(*, now: datetime) -> int:
    """Remove attempts that are older than KEPT_FOR; how many."""
    removed, _ = WebhookAttempt.objects.filter(at__lt=now - KEPT_FOR).delete()
    return removed


def _owe_again(pks: Sequence[int], now: datetime) -> None:
    Delivery.objects.filter(pk__in=pks).update(
        state=DeliveryState.OWED,
        attempts=0,
        due_at=now,
        lease=None,
        leased_until=None,
        settled_at=None,
    )
    events.start_sending_webhooks()


def _record(event_type: str, hook: Webhook, actor: str, **more: Any) -> Event:
    """The record names the webhook by its id: a URL may carry a token of its owner's."""
    return events.record(event_type, actor=actor, payload={"webhook_id": str(hook.pk), **more})


def _check_enabled(hook: Webhook) -> None:
    if hook.disabled_at is not None:
        raise Conflict(f"This webhook is disabled ({hook.disabled_why}) Enable it first.")


def _check_url(url: str) -> None:
    try:
        addresses.locate(url)
    except AddressRefused as error:
        raise Unprocessable.of("url", str(error), "address") from error
