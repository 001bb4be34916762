"""Entry points for Celery. Each task names its work and calls one verb."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from registry import clock, routing
from registry.api import idempotency
from registry.ledger import checkpoints, deliveries, sequencer
from registry.webhooks import endpoints

WEBHOOK_TURN = timedelta(seconds=20)


@shared_task
def deliver_owed() -> None:
    """Deliver owed events to verbs. Sent after commits; beat sweeps what a lost broker missed."""
    while deliveries.deliver_to_verbs(now=clock.now):
        pass


@shared_task
def send_owed() -> None:
    """Send owed events to the outside: mail, channels, users' handlers."""
    while deliveries.send_outside(now=clock.now):
        pass


@shared_task
def send_webhooks() -> None:
    """Have each webhook that is owed something sent it by a task of its own.

    So a slow receiver takes one thread, and holds nobody else up.
    """
    for subscriber in deliveries.webhooks_owed(now=clock.now()):
        send_to_webhook.delay(subscriber)


@shared_task
def send_to_webhook(subscriber: str) -> None:
    """Send one webhook what it is owed, for some seconds; beat sends for the rest."""
    until = clock.now() + WEBHOOK_TURN
    deliveries.send_to_webhook(subscriber, now=clock.now, until=until)


@shared_task
def republish_traffic() -> None:
    """Have the broker hold each family's traffic document of now."""
    routing.republish()


@shared_task
def forget_answers() -> None:
    """Remove kept answers and attempts that have expired."""
    idempotency.forget_expired()
    endpoints.forget_attempts(now=clock.now())


@shared_task
def sequence_events() -> None:
    """Give new events their place in the tree, and sign it from time to time."""
    while sequencer.sequence():
        pass
    checkpoints.sign(now=clock.now())
    checkpoints.publish()
