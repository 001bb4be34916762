"""Opaque cursors: pages by key, so that no page counts or skips rows."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

from registry.errors import InvalidInput

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
CURSOR = "^[0-7][0-9a-f]{15}$"  # opaque to callers: the key in hex, of one length

Row = TypeVar("Row", bound=Model)


def page(request: Request, rows: QuerySet[Row]) -> tuple[list[Row], str | None]:
    """The rows of the page ``?cursor=`` asks for, newest first, and the next page's cursor.

    Raises:
        InvalidInput: ``cursor`` is not one of ours, or ``limit`` is not from 1 to 200.
    """
    limit = _limit(request.query_params.get("limit"))
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        rows = rows.filter(pk__lt=_decode(cursor))
    found = list(rows.order_by("-pk")[: limit + 1])
    more = len(found) > limit
    return found[:limit], _encode(found[limit - 1].pk) if more else None


def check_query(request: Request, known: set[str]) -> None:
    """Refuse query parameters that would be passed over silently, and those that no text can be.

    Raises:
        InvalidInput: One is unknown, given twice, or has a NUL; it is named.
    """
    for name, values in request.query_params.lists():
        if name not in known:
            raise InvalidInput.of(
                name, f"There is no such parameter; there are {', '.join(sorted(known))}."
            )
        if len(values) > 1:
            raise InvalidInput.of(name, "Give this parameter once.", "repeated")
        if "\0" in values[0]:
            raise InvalidInput.of(name, "Use printable characters only.", "characters")


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:4]) <= MAX_LIMIT:
        raise InvalidInput.of("limit", f"Give a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def _encode(key: Any) -> str:
    return f"{key:016x}"


def _decode(cursor: str) -> int:
    if re.fullmatch(CURSOR, cursor) is None:
        raise InvalidInput.of("cursor", "Give the `next` of an earlier page.")
    return int(cursor, 16)
