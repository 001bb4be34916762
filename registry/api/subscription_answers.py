"""What the event bus answers over HTTP, described."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from registry.api.answers import Event


class Subscription(TypedDict):
    """Who is owed events of which types; without a handler, events are fetched."""

    name: str
    event_types: list[str]
    handler: str
    created_by: str
    created_at: datetime


class Subscriptions(TypedDict):
    """All subscriptions, by name."""

    subscriptions: list[Subscription]


class ParkedDelivery(TypedDict):
    """An event that was given up after ten failures."""

    delivery_id: int
    event_id: int
    event_type: str
    last_error: str


class SubscriptionStanding(Subscription):
    """A subscription, how far behind it is, and what was given up; counted up to 10,000."""

    owed: int
    oldest_owed_at: datetime | None
    parked: int
    last_parked: list[ParkedDelivery]


class Lent(TypedDict):
    """An owed event, lent for a minute under ``token``."""

    delivery_id: int
    token: str
    event: Event


class Lease(TypedDict):
    """Owed events."""

    deliveries: list[Lent]


class Renewed(TypedDict):
    """The deliveries that are lent for a minute more; the others have passed on."""

    delivery_ids: list[int]


class Settled(TypedDict):
    """A delivery that is settled."""

    delivery_id: int
