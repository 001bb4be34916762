"""Pay what is owed: each event to each of its subscribers, at least once."""

from __future__ import annotations

import importlib
import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice, zip_longest

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet
from django.utils.module_loading import import_string

import assay.events
from registry.ledger import debts, events, presentation
from registry.ledger.events import PULLED, WEBHOOK
from registry.ledger.outcomes import GivenUp, TryLater
from registry.models import Delivery, DeliveryState, Subscription
from registry.webhooks import delivering

Clock = Callable[[], datetime]

log = logging.getLogger(__name__)

TURNS = 31  # the class of advisory locks under which a webhook's next message is chosen


def deliver_to_verbs(*, now: Clock, limit: int = 100) -> int:
    """Deliver up to ``limit`` owed events to our own verbs, oldest first.

    Two callers at once are harmless: each delivery is locked by one.

    Returns:
        How many were delivered.
    """
    due = debts.due(now()).filter(subscriber__in=events.verbs()).order_by("pk")
    return sum(_deliver_to_verb(pk, now) for pk in due.values_list("pk", flat=True)[:limit])


def send_outside(*, now: Clock, limit: int = 100) -> int:
    """Send up to ``limit`` owed events to mail, channels and users' handlers.

    The oldest of each subscriber in turn: a hundred thousand files to write keep no mail
    waiting. Deliveries that subscribers fetch themselves are left to them. Apart from the
    verbs, so that a dead channel never holds a rollback up.

    Returns:
        How many were sent.
    """
    others = Q(subscriber__in=events.verbs()) | Q(subscriber__startswith=WEBHOOK) | _pulled()
    due = debts.due(now()).exclude(others)
    return sum(_deliver_outside(pk, now) for pk in islice(_in_turn(due, limit), limit))


def webhooks_owed(*, now: datetime) -> list[str]:
    """The webhooks that are owed something now and are not being sent anything, oldest first."""
    due = debts.due(now).filter(subscriber__startswith=WEBHOOK)
    busy = debts.on_their_way(now).filter(subscriber__startswith=WEBHOOK)
    waiting = due.exclude(subscriber__in=busy.values("subscriber")).values("subscriber")
    return [row["subscriber"] for row in waiting.annotate(first=Min("pk")).order_by("first")]


def send_to_webhook(subscriber: str, *, now: Clock, until: datetime) -> int:
    """Send one webhook what it is owed, oldest first, one after another, as long as time is left.

    While another caller has a message to it on its way, this one has nothing to do: a slow
    receiver takes one thread, however many tasks there are for it.

    Returns:
        How many arrived.
    """
    sent = 0
    while now() < until and (delivery := _next_turn(subscriber, now())) is not None:
        sent += _send_lent(delivery, now)
    return sent


def retry(delivery: Delivery, *, now: datetime) -> None:
    """Owe a parked delivery once more."""
    Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.PARKED).update(
        state=DeliveryState.OWED, attempts=0, due_at=now
    )


def _in_turn(due: QuerySet[Delivery], limit: int) -> Iterator[int]:
    """The oldest delivery of each subscriber, then the second of each, and so on."""
    names = due.order_by("subscriber").values_list("subscriber", flat=True).distinct()
    owed = (due.filter(subscriber=name).order_by("pk") for name in names)
    queues = [rows.values_list("pk", flat=True)[:limit] for rows in owed]
    for turn in zip_longest(*queues):
        yield from (pk for pk in turn if pk is not None)


def _pulled() -> Q:
    """Deliveries to subscriptions without a handler of their own."""
    names = Subscription.objects.filter(handler="").values_list("name", flat=True)
    return Q(subscriber__in=[f"{PULLED}{name}" for name in names])


def _deliver_to_verb(pk: int, now: Clock) -> bool:
    """The effect and the settled row commit together, or neither does."""

    @transaction.atomic
    def effect() -> bool:
        delivery = debts.locked(pk, now())
        if delivery is None:
            return False
        import_string(delivery.subscriber)(delivery.event)
        return debts.pay(delivery, now())

    return _attempt(pk, None, effect, now)


def _deliver_outside(pk: int, now: Clock) -> bool:
    """Claim, send, settle: no transaction and no lock is held while it sends."""
    with transaction.atomic():
        delivery = debts.locked(pk, now())
        if delivery is None or not debts.lend(delivery, now()):
            return False
    return _send_lent(delivery, now)


@transaction.atomic
def _next_turn(subscriber: str, now: datetime) -> Delivery | None:
    """The oldest that is due to a subscriber, lent; None while anything is on its way there."""
    with connection.cursor() as cursor:  # held for these few queries, so that rivals see the lease
        cursor.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [TURNS, subscriber])
    if debts.on_their_way(now).filter(subscriber=subscriber).exists():
        return None
    pk = (
        debts.due(now)
        .filter(subscriber=subscriber)
        .order_by("pk")
        .values_list("pk", flat=True)
        .first()
    )
    delivery = debts.locked(pk, now) if pk is not None else None
    return delivery if delivery is not None and debts.lend(delivery, now) else None


def _send_lent(delivery: Delivery, now: Clock) -> bool:
    def send() -> bool:
        _send(delivery)
        return debts.pay(delivery, now())

    return _attempt(delivery.pk, delivery.lease, send, now)


def _attempt(pk: int, lease: uuid.UUID | None, action: Callable[[], bool], now: Clock) -> bool:
    try:
        return action()
    except Exception as error:  # whatever a handler raises is its delivery's failure, not ours
        log.exception("delivery %s failed", pk)
        failed = Delivery.objects.filter(pk=pk, lease=lease, state=DeliveryState.OWED).first()
        if failed is not None:
            debts.put_back(failed, _said(error), now(), error=error)
        return False


def _said(error: Exception) -> str:
    """What is kept of a failure; a channel's own words need no name before them."""
    if isinstance(error, TryLater | GivenUp):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _send(delivery: Delivery) -> None:
    """Call a handler outside the product: one of ours by path, or a subscription's."""
    name = delivery.subscriber
    if name.startswith(WEBHOOK):
        delivering.send(delivery)
        return
    if not name.startswith(PULLED):
        import_string(name)(delivery.event)
        return
    path = Subscription.objects.get(name=name.removeprefix(PULLED)).handler
    module, _, function = path.rpartition(".")
    if module not in settings.ASSAY_HANDLER_MODULES:
        raise LookupError(f"{module} is not listed in ASSAY_HANDLER_MODULES of this worker.")
    handler = getattr(importlib.import_module(module), function)
    assay.events.call(handler, presentation.client_event(delivery.event))
