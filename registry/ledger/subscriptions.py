"""Subscribers outside the product's own wiring: who is owed events of which types."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from registry import characters
from registry.errors import InvalidInput, NotFound
from registry.ledger import events
from registry.ledger.events import PULLED
from registry.models import Delivery, DeliveryState, Subscription

COUNTED = 10_000  # deliveries; beyond them nobody counts
SHOWN = 10  # parked deliveries
LONGEST_NAME = 200
NAME = characters.line_without("/")  # an address part keeps it whole
REMOVED = "The subscription was removed."
Guard = Callable[[Subscription], None]  # raises where the caller may not change it


@dataclass(frozen=True, slots=True)
class Standing:
    """How far behind a subscriber is, and what was given up."""

    owed: int  # at most COUNTED
    oldest_owed_at: datetime | None
    parked: int  # at most COUNTED
    last_parked: list[Delivery]


def find(name: str) -> Subscription:
    """The subscription of this name.

    Raises:
        NotFound: There is none.
    """
    found = Subscription.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no subscription {name!r}; PUT it first.")
    return found


@transaction.atomic
def subscribe(
    name: str,
    *,
    event_types: Sequence[str],
    handler: str = "",
    keep: bool = False,
    actor: str,
    guard: Guard,
) -> Subscription:
    """Owe ``name`` every event of these types from now on; what it has already changes nothing.

    Args:
        keep: Whether what it had asked for stays, or this takes its place.

    Raises:
        InvalidInput: The name is none for a subscription.
        NotAllowed: It is there, this would change it, and ``guard`` forbids that.
    """
    _check_name(name)
    asked = {"event_types": list(event_types), "handler": handler}
    rows = Subscription.objects.select_for_update()
    subscription, made = rows.get_or_create(name=name, defaults={**asked, "created_by": actor})
    if not made:
        if keep:
            asked["event_types"] = list(dict.fromkeys([*subscription.event_types, *event_types]))
        if all(getattr(subscription, field) == value for field, value in asked.items()):
            return subscription
        guard(subscription)
        Subscription.objects.filter(pk=subscription.pk).update(**asked)
        subscription.refresh_from_db()
    told = {"subscription": name, "event_types": subscription.event_types}
    events.record("subscription.changed", actor=actor, payload=told)
    return subscription


@transaction.atomic
def remove(subscription: Subscription, *, actor: str) -> None:
    """Owe it nothing more; what it was still owed is parked."""
    owed = _deliveries(subscription).filter(state=DeliveryState.OWED)
    owed.update(state=DeliveryState.PARKED, lease=None, leased_until=None, last_error=REMOVED)
    events.record("subscription.removed", actor=actor, payload={"subscription": subscription.name})
    subscription.delete()


def standing(subscription: Subscription) -> Standing:
    """How it stands now."""
    owed = _deliveries(subscription).filter(state=DeliveryState.OWED).order_by("pk")
    parked = _deliveries(subscription).filter(state=DeliveryState.PARKED).order_by("-pk")
    oldest = owed.select_related("event").first()
    return Standing(
        owed=owed[:COUNTED].count(),
        oldest_owed_at=oldest.event.timestamp if oldest else None,
        parked=parked[:COUNTED].count(),
        last_parked=list(parked.select_related("event")[:SHOWN]),
    )


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME or not re.fullmatch(NAME, name):
        raise InvalidInput.of(
            "name",
            f"Use 1 to {LONGEST_NAME} printable characters but '/', and no blanks at the ends.",
            "pattern",
        )


def _deliveries(subscription: Subscription) -> QuerySet[Delivery]:
    return Delivery.objects.filter(subscriber=f"{PULLED}{subscription.name}")
