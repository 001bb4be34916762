"""Record facts, and owe each one to whoever subscribed to it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial, update_wrapper
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from registry.ledger import event_types
from registry.models import Delivery, Event, ModelVersion, Remark


class Kind(StrEnum):
    """How a subscriber is called."""

    VERB = "verb"  # changes our own rows: one transaction with the delivery
    OUTSIDE = "outside"  # mail, webhooks, users' handlers: claim, send, settle


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One handler of the product's own, by dotted path; it takes the event."""

    handler: str
    kind: Kind = Kind.VERB


VERB_TASK = "registry.tasks.deliver_owed"
OUTSIDE_TASK = "registry.tasks.send_owed"
WEBHOOK_TASK = "registry.tasks.send_webhooks"
PULLED = "subscription:"  # prefix of a subscriber that is a Subscription row
WEBHOOK = "webhook:"  # prefix of a subscriber that is a Webhook row

# Whose list names a type or its family, in one question: a rollback records nine events in a
# transaction that traffic waits for.
ASKING = f"""
select '{PULLED}' || name from registry_subscription
where event_types @> any(%(wanted)s::jsonb[])
union all
select '{WEBHOOK}' || id from registry_webhook
where event_types @> any(%(wanted)s::jsonb[]) and disabled_at is null
"""


def record(
    event_type: str,
    *,
    actor: str,
    subject: ModelVersion | None = None,
    payload: Mapping[str, Any] | None = None,
    remark: Remark | None = None,
) -> Event:
    """Append one event, and what is owed to its subscribers, in the caller's transaction.

    Args:
        event_type: Dotted, past tense, or ending in ``.requested`` where it asks for something.
        remark: Free text belonging to the event; only its digest enters the payload.

    Returns:
        The saved event. Delivery starts once the transaction has committed.
    """
    event = _event(event_type, actor, subject, payload, remark)
    _append([event])
    return event


def record_all(
    event_type: str, facts: Iterable[tuple[ModelVersion, Mapping[str, Any]]], *, actor: str
) -> list[Event]:
    """Append one event of a type for each version and payload, as ``record`` does one."""
    made = [_event(event_type, actor, subject, payload, None) for subject, payload in facts]
    _append(made)
    return made


def remark(text: str) -> Remark | None:
    """Keep free text apart from the record; None where there is nothing to keep."""
    if not text:
        return None
    salt = secrets.token_hex(16)
    digest = hashlib.sha256(f"{salt}{text}".encode()).hexdigest()
    return Remark.objects.create(text=text, salt=salt, sha256=digest)


def owe(event: Event, subscriber: str) -> Delivery:
    """Owe an event to one more subscriber, and start paying once the transaction has committed."""
    delivery = Delivery.objects.create(event=event, subscriber=subscriber)
    _start_after_commit({_task_of(subscriber, verbs())})
    return delivery


def start_sending_webhooks() -> None:
    """Have webhooks sent what they are owed once the transaction has committed."""
    _start_after_commit({WEBHOOK_TASK})


def subscriptions() -> Mapping[str, tuple[Subscriber, ...]]:
    """The product's own wiring: event type, or ``model.*`` for all beginning so → subscribers."""
    table: Mapping[str, tuple[Subscriber, ...]] = import_string(settings.ASSAY_SUBSCRIPTIONS)
    return table


def verbs() -> frozenset[str]:
    """The subscribers that change our own rows; every other one is outside."""
    own = (s for listed in subscriptions().values() for s in listed)
    return frozenset(s.handler for s in own if s.kind is Kind.VERB)


def _event(
    event_type: str,
    actor: str,
    subject: ModelVersion | None,
    payload: Mapping[str, Any] | None,
    remark: Remark | None,
) -> Event:
    facts = dict(payload or {})
    if subject is not None:
        facts = {"model_id": subject.model_id, **facts}
    if remark is not None:
        facts["remark_sha256"] = remark.sha256
    return Event(
        event_type=event_type,
        source="assay",
        version=subject,
        actor=actor,
        payload=facts,
        remark=remark,
    )


def _append(made: list[Event]) -> None:
    """Write events of one type, and what is owed of them. Every event passes here."""
    Event.objects.bulk_create(made)
    owed = list(_subscribers(made[0].event_type)) if made else []
    if not owed:
        return
    Delivery.objects.bulk_create(
        Delivery(event=event, subscriber=name) for event in made for name in owed
    )
    inside = verbs()
    _start_after_commit({_task_of(name, inside) for name in owed})


def _task_of(subscriber: str, inside: frozenset[str]) -> str:
    """The task that pays a subscriber."""
    if subscriber.startswith(WEBHOOK):
        return WEBHOOK_TASK
    return VERB_TASK if subscriber in inside else OUTSIDE_TASK


def _start_after_commit(tasks: Iterable[str]) -> None:
    for task in tasks:
        if _starts_anyway(task):
            continue
        # Robust: with the broker away the caller still succeeds, and beat delivers later. Wrapped,
        # because Django logs the name of what failed, and a bare partial has none.
        start = update_wrapper(partial(_start, task), _start)
        transaction.on_commit(start, robust=True)


def _subscribers(event_type: str) -> Iterator[str]:
    table = subscriptions()
    family = event_types.family(event_type)
    for subscriber in (*table.get(event_type, ()), *table.get(family, ())):
        yield subscriber.handler
    with connection.cursor() as cursor:
        names = [json.dumps([name]) for name in (event_type, family)]
        cursor.execute(ASKING, {"wanted": names})
        for (subscriber,) in cursor.fetchall():
            yield subscriber


def _starts_anyway(task: str) -> bool:
    """Whether the task starts at this commit already: one pays all that is owed.

    A transaction may record a hundred thousand events. What waits for the commit is taken back
    with a savepoint only if whatever happens in it now is taken back too.
    """
    waiting = transaction.get_connection().run_on_commit
    return any(
        isinstance(start, partial) and (start.func, start.args) == (_start, (task,))
        for _, start, _ in waiting
    )


def _start(task: str) -> None:
    import_string(task).delay()
