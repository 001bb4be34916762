"""Fields of free JSON: what the database can keep, kept as given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from registry import characters, numbers
from registry.serializers import JsonSchema

# Strings may have any character but NUL, which the database's text and JSON cannot hold.
TEXT: JsonSchema = {"type": "string", "pattern": characters.NO_NUL}
VALUE: JsonSchema = {"$ref": "#/components/schemas/JsonValue"}
OBJECT: JsonSchema = {
    "type": "object",
    "propertyNames": {"pattern": characters.NO_NUL},
    "additionalProperties": VALUE,
}
JSON_VALUE: JsonSchema = {
    "description": "Any JSON without NULs.",
    "anyOf": [
        {"type": ["null", "boolean", "number"]},
        TEXT,
        {"type": "array", "items": VALUE},
        OBJECT,
    ],
}
MAX_DEPTH = 64  # collections in each other; a manifest, which holds some more, takes 100


class MetricsField(serializers.Field[dict[str, float], Any, Any, Any]):
    """A JSON object of finite numbers."""

    def to_internal_value(self, data: Any) -> dict[str, float]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Give an object of numbers.", code="type")
        for key, value in data.items():
            if not numbers.is_finite(value):
                raise serializers.ValidationError(f"{key!r} is no finite number.", code="type")
        return data

    def to_representation(self, value: dict[str, float]) -> dict[str, float]:
        return value

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        return OBJECT | {"additionalProperties": {"type": "number"}}


class ObjectField(serializers.Field[dict[str, Any], Any, Any, Any]):
    """Any JSON object of at most MAX_DEPTH; kept as given."""

    components: ClassVar[Mapping[str, JsonSchema]] = {"JsonValue": JSON_VALUE}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Give an object.", code="type")
        if _is_deeper(data, MAX_DEPTH):
            raise serializers.ValidationError(f"Nest at most {MAX_DEPTH} deep.", code="depth")
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        return OBJECT


def _is_deeper(data: Any, depth: int) -> bool:
    """Whether there are more than so many collections in each other; level by level."""
    level = [data]
    for _ in range(depth):
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            return False
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [item for items in inner for item in items]
    return any(isinstance(each, dict | list) for each in level)
