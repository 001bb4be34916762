"""The inbox that the Co-Pilot shows beside its box, and prints for ``manage.py ask inbox``."""

from __future__ import annotations

from monitoring import notices
from monitoring.notifications import people
from registry.models import Event


def announce(event: Event) -> None:
    """Leave a notice of an opened incident for everybody it concerns."""
    notices.send(event, people.concerned(event))
