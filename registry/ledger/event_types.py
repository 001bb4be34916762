"""How types of events are named, and how somebody asks for several at once."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

EVENT_TYPE = r"^[a-z0-9_-]+(\.[a-z0-9_-]+)+$"
ASKED = r"^[a-z0-9_-]+(\.\*|(\.[a-z0-9_-]+)+)$"  # a type, or model.* for all that begin so


def family(event_type: str) -> str:
    """What all types that begin like this one are asked for by: ``model.*``."""
    return f"{event_type.partition('.')[0]}.*"


def among(asked: Iterable[str]) -> Q:
    """The events that somebody asking for these types is owed."""
    listed = list(asked)
    found = Q(event_type__in=listed)
    for name in listed:
        if name.endswith(".*"):
            found |= Q(event_type__startswith=name.removesuffix("*"))
    return found
