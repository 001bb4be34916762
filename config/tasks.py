"""Signs of life that /readyz reads."""

from __future__ import annotations

from celery import shared_task

from config import heartbeats


@shared_task
def note_beat() -> None:
    """Beat sends this every five seconds; that it ran shows beat, broker and worker at work."""
    heartbeats.beat()
