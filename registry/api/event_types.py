"""Types of events in a request."""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers

from registry.ledger.event_types import ASKED
from registry.serializers import JsonSchema, StrictCharField


class EventTypeField(StrictCharField):
    """A type of events, or ``model.*`` for all that begin so. Others would wait for ever."""

    def to_internal_value(self, data: Any) -> str:
        asked = super().to_internal_value(data)
        if re.fullmatch(ASKED, asked) is None:
            raise serializers.ValidationError(
                "Use a type such as model.promoted, or model.* for all that begin so.",
                code="pattern",
            )
        return asked

    def schema(self) -> JsonSchema:
        return {**super().schema(), "pattern": ASKED}


class EventTypesField(serializers.ListField):
    """Types of events, at least one."""

    def __init__(self, **kwargs: Any) -> None:
        child = EventTypeField(max_length=100)
        super().__init__(child=child, allow_empty=False, max_length=50, **kwargs)
