"""JSON Schemas of what the API takes and answers, from the types that the code itself uses.

An answer is a ``TypedDict`` and becomes a component of its name; a body is a ``StrictSerializer``,
whose fields say their own schemas. ``Annotated[float, Keywords(minimum=0)]`` adds keywords.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

from rest_framework import serializers

JsonSchema = dict[str, Any]

PLAIN: Mapping[Any, JsonSchema] = {
    Any: {},
    object: {},
    NoneType: {"type": "null"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    UUID: {"type": "string", "format": "uuid"},
}
REFERENCE = "#/components/schemas/"


class Keywords:
    """JSON Schema keywords for a type. A plain dictionary could not stand in a union."""

    def __init__(self, **said: Any) -> None:
        self.said = said


class Shapes:
    """Schemas of types; ``components`` gathers those that have names."""

    def __init__(self) -> None:
        self.components: dict[str, JsonSchema] = {}
        self.shapes: dict[str, Any] = {}

    def of(self, shape: Any) -> JsonSchema:
        """The schema of a type, of a serializer, or of what is a schema already.

        Raises:
            TypeError: It is something else, or has the name of another.
        """
        if isinstance(shape, dict):
            return shape
        if get_origin(shape) is Annotated:
            plain, keywords = get_args(shape)
            narrower: JsonSchema = self.of(plain) | keywords.said
            return narrower
        if shape in PLAIN:
            return dict(PLAIN[shape])
        if is_typeddict(shape):
            return self._named(shape, self._object)
        if isinstance(shape, type) and issubclass(shape, serializers.Serializer):
            return self._named(shape, self._body)
        if isinstance(shape, type) and issubclass(shape, Enum):
            return {"enum": [member.value for member in shape]}
        return self._generic(shape, get_origin(shape), get_args(shape))

    def of_field(self, field: serializers.Field[Any, Any, Any, Any]) -> JsonSchema:
        """What one field of a body takes."""
        found = self._field(field)
        if field.allow_null:
            found = {"anyOf": [found, {"type": "null"}]}
        if isinstance(field.default, str | int | float | bool):
            found = found | {"default": field.default}
        return found

    def _generic(self, shape: Any, origin: Any, inner: tuple[Any, ...]) -> JsonSchema:
        if origin in (Union, UnionType):
            return {"anyOf": [self.of(one) for one in inner]}
        if origin is Literal:
            return {"enum": list(inner)}
        if origin in (list, tuple):
            return {"type": "array", "items": self.of(inner[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(inner[1])}
        raise TypeError(f"Nothing says what {shape!r} looks like in JSON; use a TypedDict.")

    def _named(self, shape: Any, described: Any) -> JsonSchema:
        name = re.sub("Serializer$", "Body", shape.__name__)
        if self.shapes.setdefault(name, shape) is not shape:
            raise TypeError(f"Two shapes are called {name}; rename {shape.__module__}'s.")
        if name not in self.components:
            self.components[name] = {}  # it may contain itself
            self.components[name] = described(shape)
        return {"$ref": f"{REFERENCE}{name}"}

    def _object(self, shape: Any) -> JsonSchema:
        """Answers may grow: other properties are allowed."""
        hints = get_type_hints(shape, include_extras=True)
        return {
            "type": "object",
            "description": _first_paragraph(shape),
            "properties": {name: self.of(_needed(hint)) for name, hint in hints.items()},
            "required": [name for name, hint in hints.items() if not _may_be_left_out(hint)],
        }

    def _body(self, shape: type[serializers.Serializer[Any]]) -> JsonSchema:
        """Bodies may not: a StrictSerializer refuses what it does not know."""
        fields = shape().fields
        closer: Mapping[str, JsonSchema] = getattr(shape, "closer", {})
        properties = {name: self.of_field(field) for name, field in fields.items()}
        found = {
            "type": "object",
            "description": _first_paragraph(shape),
            "properties": {
                name: known | closer.get(name, {}) for name, known in properties.items()
            },
            "additionalProperties": False,
        }
        if required := [name for name, field in fields.items() if field.required]:
            found["required"] = required
        return found | closer.get("", {})

    def _field(self, field: Any) -> JsonSchema:
        if hasattr(field, "schema"):
            self.components |= getattr(field, "components", {})  # what its schema refers to
            return dict(field.schema())
        if isinstance(field, serializers.ChoiceField):
            return {"enum": list(field.choices)}
        if isinstance(field, serializers.ListField):
            bounds = {"minItems": int(not field.allow_empty), "maxItems": field.max_length}
            known = {name: bound for name, bound in bounds.items() if bound is not None}
            return {"type": "array", "items": self.of_field(field.child), **known}
        if isinstance(field, serializers.Serializer):
            return self.of(type(field))
        raise TypeError(f"Give {type(field).__name__} a schema(), so that the document knows it.")


def _may_be_left_out(hint: Any) -> bool:
    # Not __required_keys__: with postponed annotations Python 3.11 does not see NotRequired there.
    return get_origin(hint) is NotRequired


def _needed(hint: Any) -> Any:
    """A TypedDict's hint without its NotRequired."""
    return get_args(hint)[0] if _may_be_left_out(hint) else hint


def _first_paragraph(shape: Any) -> str:
    return " ".join((shape.__doc__ or "").split("\n\n")[0].split())
