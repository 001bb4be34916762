"""An event as the tree holds it: every column of its row, in one spelling. Pure."""

from __future__ import annotations

from datetime import UTC

from registry import canonical
from registry.models import Event

FORMAT = 1


def encode(event: Event) -> bytes:
    """The bytes that are hashed as the event's leaf.

    Canonical JSON of all columns; times in UTC with microseconds. The remark is its row's id: the
    payload has the salted digest of its text, so the text can be erased and the proof stays.
    """
    document = {
        "leaf": FORMAT,
        "id": event.pk,
        "event_type": event.event_type,
        "source": event.source,
        "version_id": event.version_id,
        "actor": event.actor,
        "payload": event.payload,
        "remark_id": str(event.remark_id) if event.remark_id else None,
        "format": event.format,
        "timestamp": event.timestamp.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    return canonical.text(document).encode()
