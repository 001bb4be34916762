"""Entry points for Celery. Each reads the clock and calls one verb."""

from __future__ import annotations

from celery import shared_task

from governance.progressions import sweeping
from registry import clock


@shared_task
def advance_canaries() -> None:
    """Find the canaries whose progression is due.

    Beat sends this every few seconds. Each is carried on by a task of its own, so that trouble with
    one holds no other up.
    """
    for pk in sweeping.due(now=clock.now()):
        advance_canary.delay(pk)


@shared_task
def advance_canary(progression_pk: int) -> None:
    """Carry one progression on."""
    sweeping.carry_on(progression_pk, now=clock.now())
