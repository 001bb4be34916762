"""Events that subscribers fetch themselves: lent, renewed while they are handled, settled."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from registry.errors import Conflict
from registry.ledger import debts
from registry.ledger.events import PULLED
from registry.models import Delivery, DeliveryState, Subscription


@transaction.atomic
def lease(subscription: Subscription, *, now: datetime, limit: int) -> list[Delivery]:
    """Lend up to ``limit`` owed events to a subscriber, oldest first."""
    due = debts.due(now).filter(subscriber=_subscriber(subscription))
    found = (
        due.select_for_update(skip_locked=True, of=("self",))
        .select_related("event__version", "event__remark")
        .order_by("pk")[:limit]
    )
    return [delivery for delivery in found if debts.lend(delivery, now)]


@transaction.atomic
def renew(subscription: Subscription, held: Mapping[int, uuid.UUID], *, now: datetime) -> list[int]:
    """Lend what is still held for as long again; the others have passed on.

    Returns:
        The deliveries that were renewed.
    """
    rows = _lent(subscription).select_for_update().filter(pk__in=held)
    ours = [pk for pk, lease in rows.values_list("pk", "lease") if held[pk] == lease]
    Delivery.objects.filter(pk__in=ours).update(leased_until=now + debts.LEASE)
    return sorted(ours)


@transaction.atomic
def settle(
    subscription: Subscription,
    delivery_id: int,
    token: uuid.UUID,
    *,
    now: datetime,
    error: str | None = None,
) -> None:
    """Say how a lent delivery went; an error puts it back with a growing pause.

    Raises:
        Conflict: The lease is not this one any more.
    """
    rows = _lent(subscription).select_for_update().filter(pk=delivery_id, lease=token)
    delivery = rows.first()
    if delivery is None:
        raise Conflict("This delivery is not lent to you; its lease has run out or is settled.")
    if error is None:
        debts.pay(delivery, now)
    else:
        debts.put_back(delivery, error, now)


def _lent(subscription: Subscription) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        subscriber=_subscriber(subscription), state=DeliveryState.OWED, lease__isnull=False
    )


def _subscriber(subscription: Subscription) -> str:
    return f"{PULLED}{subscription.name}"
