"""Signs of life that /readyz reads."""

from __future__ import annotations

from celery import shared_task

from config import heartbeats


@shared_task
def note_beat(queue: str) -> None:
    """Beat sends this to each queue; that it ran shows beat, broker and worker at work."""
    heartbeats.beat(queue)
