"""JSON in, JSON out: strict about what comes in, plain about what goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework import parsers, renderers

from registry.errors import FieldError, InvalidInput, TooLarge


class StrictJSONParser(parsers.BaseParser):
    """JSON without NaN, infinities or repeated keys, and not over ASSAY_MAX_BODY_BYTES."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.ASSAY_MAX_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(f"The body is over {limit} bytes; send it in parts.")
        return loads(body)


class JSONRenderer(renderers.JSONRenderer):
    """Plain JSON; problems say so in their content type."""

    charset = None


def loads(body: bytes) -> Any:
    """Read strict JSON.

    Raises:
        InvalidInput: It is no JSON, or has NaN, an infinity or a key twice.
    """
    try:
        text = body.decode("utf-8")
        found = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_without_repeats,
        )
        if "\\u" in text and not _storable(found):
            raise InvalidInput.of(
                "", "A string has \\u0000 or half a surrogate pair; leave it out.", "characters"
            )
        return found
    except UnicodeDecodeError as error:
        raise InvalidInput.of("", "The body is not UTF-8.", "malformed") from error
    except RecursionError as error:
        raise InvalidInput.of("", "The body is nested too deeply.", "malformed") from error
    except ValueError as error:
        raise InvalidInput.of("", f"The body is not valid JSON: {error}", "malformed") from error


def _storable(found: Any) -> bool:
    """Whether PostgreSQL can keep every string in it."""
    if isinstance(found, dict):
        return all(_storable(key) and _storable(value) for key, value in found.items())
    if isinstance(found, list):
        return all(map(_storable, found))
    if isinstance(found, str):
        return "\0" not in found and not any("\ud800" <= c <= "\udfff" for c in found)
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInput([FieldError("", "not-finite", f"{name} is not JSON; leave the key out.")])


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InvalidInput.of("", f"{text} is too large for a number.", "not-finite")
    return number


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidInput.of(twice, "This key is given twice.", "repeated")
    return found
