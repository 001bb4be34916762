"""Tags as callers write them: an object of strings, or a list of plain tags."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from registry import characters
from registry.serializers import JsonSchema

# Tags are filters too: a comma parts them there, a colon a key from its value.
KEY = f"^[^,:{characters.UNSEEN}]+$"
VALUE = f"^{characters.PRINTABLE}*$"


class TagsField(serializers.Field[dict[str, str], Any, Any, Any]):
    """Tags as an object of strings, or as a list of plain tags."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        tags = dict.fromkeys(data, "") if _is_list_of_strings(data) else data
        if not isinstance(tags, dict):
            raise serializers.ValidationError(
                "Give a list of strings, or an object of strings.", code="type"
            )
        for key, value in tags.items():
            if not isinstance(value, str) or not 1 <= len(key) <= 250 or len(value) > 1000:
                raise serializers.ValidationError(
                    f"Tag {key!r}: keys have 1 to 250 characters, values are strings of at most "
                    "1,000.",
                    code="tag",
                )
            if "," in key or ":" in key or not characters.is_printable(key + value):
                raise serializers.ValidationError(
                    f"Tag {key!r}: use printable characters, and neither ',' nor ':' in keys.",
                    code="tag",
                )
        return tags

    def to_representation(self, value: dict[str, str]) -> dict[str, str]:
        return value

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        return {
            "oneOf": [
                {
                    "type": "object",
                    "propertyNames": {"pattern": KEY, "maxLength": 250},
                    "additionalProperties": {"type": "string", "pattern": VALUE, "maxLength": 1000},
                },
                {"type": "array", "items": {"type": "string", "pattern": KEY, "maxLength": 250}},
            ]
        }


def _is_list_of_strings(data: Any) -> bool:
    return isinstance(data, list) and all(isinstance(item, str) for item in data)
