"""One owed delivery: due, lent, then paid or put back."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from registry.ledger.outcomes import GivenUp, TryLater
from registry.models import Delivery, DeliveryState

MAX_ATTEMPTS = 10  # then it is parked, visibly
LEASE = timedelta(seconds=60)
BACKOFF = timedelta(seconds=2)  # doubled with each attempt
LONGEST_BACKOFF = timedelta(minutes=10)
RAN_OUT = "Its lease ran out again: whoever had it was killed, or neither settled nor renewed it."


def due(now: datetime) -> QuerySet[Delivery]:
    """What is owed by now, and in nobody's hands."""
    unleased = Q(leased_until=None) | Q(leased_until__lte=now)
    return Delivery.objects.filter(unleased, state=DeliveryState.OWED, due_at__lte=now)


def on_their_way(now: datetime) -> QuerySet[Delivery]:
    """What is owed, and in somebody's hands."""
    return Delivery.objects.filter(state=DeliveryState.OWED, leased_until__gt=now)


def locked(pk: int, now: datetime) -> Delivery | None:
    """The delivery, locked; None where another worker has it or it is paid."""
    rows = due(now).filter(pk=pk).select_for_update(skip_locked=True, of=("self",))
    return rows.select_related("event__version", "event__remark").first()


def lend(delivery: Delivery, now: datetime) -> bool:
    """Put a locked delivery into somebody's hands for a while.

    A lease that ran out was a failure: a message that kills whoever handles it is parked too.

    Returns:
        False where it was parked instead.
    """
    if delivery.lease is not None:
        if delivery.attempts + 1 >= MAX_ATTEMPTS:
            put_back(delivery, RAN_OUT, now)
            return False
        delivery.attempts += 1
    delivery.lease, delivery.leased_until = uuid.uuid4(), now + LEASE
    delivery.save(update_fields=["lease", "leased_until", "attempts"])
    return True


def pay(delivery: Delivery, now: datetime) -> bool:
    """Settle, unless the lease has passed to another worker meanwhile."""
    settled = Delivery.objects.filter(pk=delivery.pk, lease=delivery.lease).update(
        state=DeliveryState.DONE,
        settled_at=now,
        attempts=F("attempts") + 1,
        lease=None,
        leased_until=None,
        last_error="",
    )
    return bool(settled)


def put_back(
    delivery: Delivery, said: str, now: datetime, *, error: Exception | None = None
) -> None:
    """Owe it again after a growing pause, or park it, unless the lease has passed on."""
    attempts = delivery.attempts + 1
    pause = min(BACKOFF * 2 ** (attempts - 1), LONGEST_BACKOFF)
    if isinstance(error, TryLater):
        pause = error.pause
    over = attempts >= MAX_ATTEMPTS or isinstance(error, GivenUp)
    Delivery.objects.filter(pk=delivery.pk, lease=delivery.lease).update(
        state=DeliveryState.PARKED if over else DeliveryState.OWED,
        attempts=attempts,
        due_at=now + pause,
        lease=None,
        leased_until=None,
        last_error=said[:2000],
    )
