"""The channel: an owed event becomes a signed message, and the answer decides what follows."""

from __future__ import annotations

import email.utils
import json
import random
from datetime import UTC, datetime, timedelta

from assay import webhooks as standard
from registry import clock, sealing
from registry.ledger import presentation
from registry.ledger.outcomes import GivenUp, TryLater
from registry.models import Delivery, Event, Webhook, WebhookAttempt
from registry.sealing import CannotUnseal, Purpose
from registry.webhooks import addresses, endpoints, sending
from registry.webhooks.addresses import AddressRefused
from registry.webhooks.sending import Answer, NoAnswer

GONE = 410
SHOWN = 500  # characters of an answer that are kept
# Pauses after each failure, as Standard Webhooks suggests; the tenth failure parks.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
JITTER = 0.1  # share of a pause, lest all receivers of an outage be asked at one moment
LONGEST_PAUSE = timedelta(days=1)


def send(delivery: Delivery) -> None:
    """Send an owed event to its webhook; returning means that it was accepted.

    Raises:
        TryLater: It was not; when to try again.
        GivenUp: It never will be: the webhook is gone, disabled or removed.
    """
    hook = Webhook.objects.filter(pk=endpoints.key_of(delivery.subscriber)).first()
    if hook is None or hook.disabled_at is not None:
        raise GivenUp("The webhook was removed or disabled.")
    try:
        answer = _ask(hook, delivery.event)
    except (AddressRefused, NoAnswer, CannotUnseal) as error:
        _note(hook, delivery, error=str(error))
        raise TryLater(str(error), _pause(delivery.attempts)) from error
    _note(hook, delivery, answer=answer)
    _judge(answer, hook, delivery)


def message(event: Event) -> bytes:
    """The body: type, time and payload of the event, as every subscriber gets them."""
    document = {
        "type": event.event_type,
        "timestamp": event.timestamp.astimezone(UTC).isoformat(),
        "data": {"event_id": event.pk, **presentation.payload(event)},
    }
    return json.dumps(document).encode()


def headers(hook: Webhook, event: Event, body: bytes, *, now: datetime) -> dict[str, str]:
    """What a receiver checks the message by. The id is the same however often it is sent."""
    identifier, at = f"msg_{event.pk}", int(now.timestamp())
    secrets = [hook.secret]
    if hook.former_until is not None and now < hook.former_until:
        secrets.append(hook.former_secret)
    keys = [sealing.unseal(sealed, Purpose.WEBHOOK_SECRETS) for sealed in secrets]
    signed = [standard.signature(key, identifier, at, body) for key in keys]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Assay-Webhooks/1",
        "webhook-id": identifier,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signed),
    }


def _ask(hook: Webhook, event: Event) -> Answer:
    target = addresses.locate(hook.url)
    body = message(event)
    return sending.post(target, headers(hook, event, body, now=clock.now()), body)


def _judge(answer: Answer, hook: Webhook, delivery: Delivery) -> None:
    if 200 <= answer.status < 300:
        return
    if answer.status == GONE:
        endpoints.disable(hook, why="It answered 410 Gone.", now=clock.now())
        raise GivenUp("The receiver answered 410 Gone; the webhook is disabled.")
    pause = _asked_pause(answer.retry_after, clock.now()) or _pause(delivery.attempts)
    raise TryLater(f"The receiver answered {answer.status}.", pause)


def _pause(failures: int) -> timedelta:
    pause = PAUSES[min(failures, len(PAUSES) - 1)]
    return pause * (1 + JITTER * random.random())


def _asked_pause(header: str | None, now: datetime) -> timedelta | None:
    """The pause that Retry-After asks for, in seconds or as a date; a day at most."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        asked = timedelta(seconds=int(header[:9]))
    else:
        try:
            asked = email.utils.parsedate_to_datetime(header) - now
        except (ValueError, TypeError):
            return None
    return min(max(asked, PAUSES[0]), LONGEST_PAUSE)


def _note(
    hook: Webhook, delivery: Delivery, *, answer: Answer | None = None, error: str = ""
) -> None:
    """Keep what happened, for whoever asks why an event did not arrive."""
    said = answer.body.decode(errors="replace")[:SHOWN] if answer else ""
    WebhookAttempt.objects.create(
        webhook=hook,
        delivery=delivery,
        duration_ms=answer.duration_ms if answer else 0,
        status=answer.status if answer else None,
        error=error[:SHOWN],
        answer="".join(c if c.isprintable() else " " for c in said),
    )
