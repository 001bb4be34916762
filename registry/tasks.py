"""Entry points for Celery. Each task names its work and calls one verb."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from registry.api import idempotency
from registry.ledger import checkpoints, deliveries, sequencer


@shared_task
def deliver_owed() -> None:
    """Deliver owed events to verbs. Sent after commits; beat sweeps what a lost broker missed."""
    while deliveries.deliver_to_verbs(now=timezone.now):
        pass


@shared_task
def send_owed() -> None:
    """Send owed events to the outside: mail, channels, users' handlers."""
    while deliveries.send_outside(now=timezone.now):
        pass


@shared_task
def forget_answers() -> None:
    """Remove kept answers that have expired."""
    idempotency.forget_expired()


@shared_task
def sequence_events() -> None:
    """Give new events their place in the tree, and sign it from time to time."""
    while sequencer.sequence():
        pass
    checkpoints.sign(now=timezone.now())
    checkpoints.publish()
