"""Python values to JSON and back: times with offsets, numbers that are numbers."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from assay.errors import AssayError, InvalidInput, refused

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Record = TypeVar("Record", bound=DataclassInstance)


def aware(moment: datetime) -> datetime:
    """``moment`` with an offset; a naive one is read as this machine's local time."""
    return moment.astimezone() if moment.tzinfo is None else moment


def read(kind: type[Record], document: Mapping[str, Any]) -> Record:
    """Make a ``kind`` of the JSON object ``document``; times and stages by the fields' types.

    Fields that a newer registry adds are left out.

    Raises:
        AssayError: A field without a default is missing.
    """
    missing = [f.name for f in fields(kind) if _required(f) and f.name not in document]
    if missing:
        raise AssayError(f"The answer is no {kind.__name__}: it lacks {', '.join(missing)}.")
    hints = _hints(kind)
    given = [f.name for f in fields(kind) if f.name in document]
    return kind(**{name: _typed(document[name], hints[name]) for name in given})


def declared(record: DataclassInstance) -> dict[str, Any]:
    """The fields of ``record`` that are not at their defaults.

    What only the registry may set is sent too where the caller set it, so that the registry can
    refuse it by name: leaving it out would be a silent no.
    """
    values = {f: getattr(record, f.name) for f in fields(record)}
    return {f.name: value for f, value in values.items() if _required(f) or value != _default(f)}


def dumps(value: object) -> bytes:
    """Encode as strict JSON; datetimes get an offset, numpy and torch scalars become numbers.

    Raises:
        InvalidInput: NaN, an infinity or an object JSON has no word for; the pointer says where.
    """
    try:
        return json.dumps(value, default=_plain, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise _refusal(value, error) from error


def loads(body: bytes) -> dict[str, Any]:
    """Decode an answer.

    Raises:
        AssayError: It is no JSON object, so something else than a registry answered.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        raise AssayError("The answer is not JSON: is ASSAY_URL that of a registry?") from error
    if not isinstance(document, dict):
        raise AssayError("The answer is no JSON object: is ASSAY_URL that of a registry?")
    return document


def _required(item: Field[Any]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _default(item: Field[Any]) -> object:
    return item.default if item.default_factory is MISSING else item.default_factory()


@functools.cache
def _hints(kind: type) -> Mapping[str, tuple[object, ...]]:
    """Each field's type, or the types of its union."""
    hints = get_type_hints(kind)
    return {name: get_args(hint) or (hint,) for name, hint in hints.items()}


def _typed(value: object, types: tuple[object, ...]) -> object:
    if isinstance(value, str):
        for kind in types:
            if kind is datetime:
                return datetime.fromisoformat(value)
            if isinstance(kind, type) and issubclass(kind, Enum):
                return kind(value)
    return value


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return aware(value).isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _refusal(value: object, error: Exception) -> InvalidInput:
    return next(_unsendable(value, ""), refused("", "invalid", str(error)))


def _unsendable(value: object, pointer: str) -> Iterator[InvalidInput]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            name = str(key).replace("~", "~0").replace("/", "~1")
            yield from _unsendable(part, f"{pointer}/{name}")
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _unsendable(part, f"{pointer}/{index}")
    else:
        yield from _unsendable_leaf(value, pointer)


def _unsendable_leaf(value: object, pointer: str) -> Iterator[InvalidInput]:
    try:
        json.dumps(value, default=_plain, allow_nan=False)
    except ValueError:
        yield refused(pointer, "not_finite", f"{value} is not a finite number")
    except TypeError as error:
        yield refused(pointer, "not_json", str(error))
