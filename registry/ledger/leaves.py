"""Events as the tree holds them: every column of the row, in one spelling."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from registry import canonical

FORMAT = 1
# As text where a driver would lose digits, or cannot hold what somebody may have put there.
ROWS = """
select id, event_type, source, version_id, actor, payload::text, remark_id::text, format,
    (timestamp at time zone 'UTC')::text
from registry_event where id = any(%s)
"""
COLUMNS = (
    "id",
    "event_type",
    "source",
    "version_id",
    "actor",
    "payload",
    "remark_id",
    "format",
    "timestamp",
)


def of(event_ids: Collection[int]) -> dict[int, bytes]:
    """The bytes that are hashed as the leaf of each of these events; none for one that is gone.

    Canonical JSON of all columns; times in UTC with microseconds. The remark is its row's id: the
    payload has the salted digest of its text, so the text can be erased and the proof stays.
    """
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [list(event_ids)])
        return {row[0]: _encode(dict(zip(COLUMNS, row, strict=True))) for row in cursor.fetchall()}


def _encode(row: dict[str, Any]) -> bytes:
    payload = json.loads(row["payload"], parse_float=_fraction, parse_int=_integer)
    document = row | {"leaf": FORMAT, "payload": payload, "timestamp": _time(row["timestamp"])}
    return canonical.text(document).encode()


def _time(text: str) -> str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat(timespec="microseconds")
    except ValueError:  # infinity, or before Christ
        return text


def _fraction(text: str) -> float | dict[str, str]:
    """A float, or the digits where no float is exactly this: a change of any digit is seen."""
    value = float(text)
    return value if Decimal(repr(value)) == Decimal(text) else {"numeral": text}


def _integer(text: str) -> int | dict[str, str]:
    return int(text) if len(text) <= 1000 else {"numeral": text}  # Python reads no longer ones
