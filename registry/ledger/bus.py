"""What others may tell the product, and have recorded beside its own events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from registry.errors import Conflict, InvalidInput
from registry.ledger import events
from registry.ledger.event_types import EVENT_TYPE
from registry.models import Event, ModelVersion

# Types that the product itself records begin with one of these; nobody else may.
RESERVED = (
    "model.",
    "check.",
    "approval.",
    "attestation.",
    "incident.",
    "evaluation.",
    "data_set.",
    "policy.",
    "subscription.",
    "webhook.",
    "playbook.",
)


@transaction.atomic
def publish(
    event_type: str, payload: Mapping[str, Any], *, subject: ModelVersion | None, actor: str
) -> Event:
    """Record an event of a user's own.

    Raises:
        InvalidInput: The type is no dotted lower-case name.
        Conflict: The type is one the product records itself.
    """
    if re.fullmatch(EVENT_TYPE, event_type) is None:
        raise InvalidInput.of("event_type", "Use a dotted lower-case name such as team.retrained.")
    if event_type.startswith(RESERVED):
        raise Conflict(
            f"{event_type} is recorded by the registry itself; make the call that it tells of, "
            "or publish under a name of your own."
        )
    return events.record(event_type, actor=actor, subject=subject, payload=payload)
