"""How events read to people and programs: names for actors, text for remarks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import assay
from registry import actors
from registry.models import Event


def events_json(found: Iterable[Event]) -> list[dict[str, Any]]:
    """Events as the API shows them; two queries beside the one that found them."""
    listed = list(found)
    called = actors.names(event.actor for event in listed)
    return [_event_json(event, called[event.actor]) for event in listed]


def client_event(event: Event) -> assay.Event:
    """The event as subscribers' handlers take it."""
    return assay.Event(
        id=event.pk,
        event_type=event.event_type,
        source=event.source,
        timestamp=event.timestamp,
        payload=payload(event),
    )


def payload(event: Event) -> dict[str, Any]:
    """What happened, with the free text that the record itself holds only as a digest.

    What a person gave as the reason stands where the monitor's reasons would.
    """
    facts = dict(event.payload)
    if event.remark is not None:
        facts["remark"] = event.remark.text
        facts.setdefault("reasons", [event.remark.text])
    return facts


def _event_json(event: Event, actor: str) -> dict[str, Any]:
    return {
        "id": event.pk,
        "event_type": event.event_type,
        "source": event.source,
        "timestamp": event.timestamp,
        "actor": actor,
        "payload": payload(event),
    }
