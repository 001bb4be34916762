"""Pages by key, newest first: no page counts or skips rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

from registry.errors import InvalidInput

SIZE = 50
LARGEST_KEY = 2**63 - 1

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the key that asks for the older ones (``?before=``); None where none are."""

    rows: list[Row]
    older: int | None
    is_newest: bool


def page(rows: QuerySet[Row], *, before: str, size: int = SIZE) -> Page[Row]:
    """The rows below the key ``before``; the newest where it is empty.

    Raises:
        InvalidInput: ``before`` is no key.
    """
    if before:
        rows = rows.filter(pk__lt=_key(before))
    found = list(rows.order_by("-pk")[: size + 1])
    older = found[size - 1].pk if len(found) > size else None
    return Page(found[:size], older, is_newest=not before)


def _key(before: str) -> int:
    if not (before.isascii() and before.isdigit()) or int(before) > LARGEST_KEY:
        raise InvalidInput.of("before", "Follow the link to the older rows of an earlier page.")
    return int(before)
