"""Strict input: nothing is coerced, unknown fields are named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from registry import characters, numbers

JsonSchema = dict[str, Any]
UUID_TEXT = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know, by name.

    What a rule of its own narrows further, ``closer`` tells the API's document: keywords by field,
    and under "" those of the whole object.
    """

    closer: ClassVar[Mapping[str, JsonSchema]] = {}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(
                {"non_field_errors": ["Send a JSON object."]}, code="type"
            )
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {name: [f"There is no such field here; fields are {known}."] for name in unknown},
                code="unknown-field",
            )
        fields: dict[str, Any] = super().to_internal_value(data)
        return fields


class NothingSerializer(StrictSerializer):
    """A body without fields."""


class StrictCharField(serializers.CharField):
    """A JSON string, of printable characters unless ``multiline``; never a number."""

    def __init__(self, *, multiline: bool = False, **kwargs: Any) -> None:
        self.multiline = multiline
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Give a string.", code="type")
        plain = data.replace("\n", "").replace("\t", "") if self.multiline else data
        if not characters.is_printable(plain):
            raise serializers.ValidationError("Use printable characters only.", code="characters")
        if data != data.strip() and not self.multiline:
            raise serializers.ValidationError("Leave out the blanks at the ends.", code="blanks")
        return super().to_internal_value(data)

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        empty = characters.LINE_OR_NONE if self.allow_blank else characters.LINE
        found: JsonSchema = {
            "type": "string",
            "pattern": characters.LINES if self.multiline else empty,
        }
        if self.multiline and not self.allow_blank:
            found["minLength"] = 1
        if self.max_length is not None:
            found["maxLength"] = self.max_length
        return found


class PatternField(StrictCharField):
    """A string that matches a pattern, with a sentence for those that do not."""

    def __init__(self, pattern: str, sentence: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pattern = pattern
        self.validators.append(RegexValidator(pattern, sentence, code="pattern"))

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        return super().schema() | {"pattern": self.pattern}


class FamilyNameField(PatternField):
    """The name of a registered model: an address part keeps it whole, so no '/' and no ':'."""

    def __init__(self, **kwargs: Any) -> None:
        pattern = characters.line_without("/:")
        super().__init__(pattern, "Use neither '/' nor ':'.", max_length=256, **kwargs)


class StrictUUIDField(serializers.Field[UUID, Any, str, Any]):
    """A UUID as RFC 9562 writes it: no number, no braces."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or re.fullmatch(UUID_TEXT, data) is None:
            raise serializers.ValidationError("Give a UUID.", code="type")
        return UUID(data)

    def to_representation(self, value: UUID) -> str:
        return str(value)

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        return {"type": "string", "format": "uuid"}


class StrictBooleanField(serializers.Field[bool, Any, bool, Any]):
    """JSON true or false; neither "yes" nor 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Give true or false.", code="type")
        return data

    def to_representation(self, value: bool) -> bool:
        return value

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        return {"type": "boolean"}


class StrictIntegerField(serializers.Field[int, Any, int, Any]):
    """A JSON whole number within bounds; ``true`` is none."""

    def __init__(self, *, minimum: int = 0, maximum: int = 2**63 - 1, **kwargs: Any) -> None:
        self.minimum, self.maximum = minimum, maximum
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        number = numbers.whole(data)
        if number is None:
            raise serializers.ValidationError("Give a whole number.", code="type")
        if not self.minimum <= number <= self.maximum:
            raise serializers.ValidationError(
                f"Give a whole number from {self.minimum} to {self.maximum}.", code="range"
            )
        return number

    def to_representation(self, value: int) -> int:
        return value

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


class StrictFloatField(serializers.Field[float, Any, float, Any]):
    """A finite JSON number, at least ``minimum``; ``true`` is none."""

    def __init__(self, *, minimum: float | None = None, **kwargs: Any) -> None:
        self.minimum = minimum
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> float:
        if not numbers.is_finite(data):
            raise serializers.ValidationError("Give a finite number.", code="type")
        if self.minimum is not None and data < self.minimum:
            raise serializers.ValidationError(
                f"Give a number of at least {self.minimum:g}.", code="range"
            )
        return float(data)

    def to_representation(self, value: float) -> float:
        return value

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        least = {} if self.minimum is None else {"minimum": self.minimum}
        return {"type": "number", **least}


class StrictDecimalField(serializers.Field[Decimal, Any, float, Any]):
    """A finite JSON number kept exactly as it was written."""

    def to_internal_value(self, data: Any) -> Decimal:
        if not numbers.is_finite(data):
            raise serializers.ValidationError("Give a finite number.", code="type")
        return Decimal(str(data))

    def to_representation(self, value: Decimal) -> float:
        return float(value)

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        return {"type": "number"}


class StrictDateTimeField(serializers.Field[datetime, Any, str, Any]):
    """An ISO 8601 time with an offset."""

    def to_internal_value(self, data: Any) -> datetime:
        return parse_time(data)

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()

    def schema(self) -> JsonSchema:
        """What it takes, as JSON Schema."""
        return {"type": "string", "format": "date-time"}


def parse_time(data: Any) -> datetime:
    """An ISO 8601 time with an offset, in UTC.

    Raises:
        ValidationError: It is something else, or has no offset.
    """
    try:
        found = parse_datetime(data) if isinstance(data, str) else None
    except ValueError:
        found = None
    if found is None:
        raise serializers.ValidationError("Give a time like 2026-01-31T12:00:00Z.", code="type")
    if timezone.is_naive(found):
        raise serializers.ValidationError(
            "Give the time with its offset, such as Z or +02:00.", code="naive-time"
        )
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise serializers.ValidationError(
            "Give a time within the years 1 to 9999 of UTC.", code="range"
        ) from None
