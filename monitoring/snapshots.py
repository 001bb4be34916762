"""Keep reported snapshots: once each, whole batches or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from monitoring import scheduling
from monitoring.parsing import Snapshot
from registry.models import ModelVersion

NAMES = tuple(field.name for field in fields(Snapshot))
TYPES = {
    "timestamp": "timestamptz",
    "num_requests": "integer",
    "source": "text",
    "device": "text",
}
ARRAYS = ", ".join(f"%s::{TYPES.get(name, 'double precision')}[]" for name in NAMES)

INSERT = f"""
insert into memory_model_performance (version_id, model_id, version, {", ".join(NAMES)})
select %s, %s, %s, * from unnest({ARRAYS})
on conflict (version_id, timestamp, source) do nothing
returning timestamp, source
"""
KNOWN = f"""
select {", ".join(f"s.{name}" for name in NAMES)} from memory_model_performance s
join unnest(%s::timestamptz[], %s::text[]) as asked (timestamp, source) using (timestamp, source)
where s.version_id = %s and s.timestamp = any(%s::timestamptz[])
"""
DAYS_AHEAD = 7


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: new rows, repeats, and repeats with other values (by index)."""

    accepted: int
    duplicates: int
    conflicts: tuple[int, ...]


def store(version: ModelVersion, batch: Sequence[Snapshot]) -> Receipt:
    """Keep a batch in one transaction, and have the version's triggers checked at once.

    A snapshot's key is version, timestamp and source. A repeat with the same values is a
    duplicate; with other values a conflict: the first report stands, and the caller is told.
    """
    first: dict[tuple[datetime, str], Snapshot] = {}
    for snapshot in batch:
        first.setdefault(snapshot.key, snapshot)
    with transaction.atomic():
        _make_partitions({snapshot.timestamp.date() for snapshot in batch})
        new = _insert(version, list(first.values()))
        kept = _known(version, [s for key, s in first.items() if key not in new])
        if version.is_serving and new:
            scheduling.check_after_commit(version)
    return _receipt(batch, first, new, kept)


def make_partitions_ahead(*, today: date) -> None:
    """Have the days to come ready, so that no ingest waits for one."""
    with transaction.atomic():
        _make_partitions({today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)})


def _receipt(
    batch: Sequence[Snapshot],
    first: dict[tuple[datetime, str], Snapshot],
    new: set[tuple[datetime, str]],
    kept: dict[tuple[datetime, str], Snapshot],
) -> Receipt:
    standing = first | kept  # what the database has, by key
    conflicts = tuple(i for i, s in enumerate(batch) if standing[s.key] != s)
    return Receipt(len(new), len(batch) - len(new) - len(conflicts), conflicts)


def _insert(version: ModelVersion, rows: Sequence[Snapshot]) -> set[tuple[datetime, str]]:
    columns: list[Any] = [[getattr(row, name) for row in rows] for name in NAMES]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [version.pk, version.model_id, version.version, *columns])
        return {(timestamp, source) for timestamp, source in cursor.fetchall()}


def _known(version: ModelVersion, rows: Sequence[Snapshot]) -> dict[tuple[datetime, str], Snapshot]:
    """The stored snapshots that stand where these would go."""
    if not rows:
        return {}
    times, sources = [row.timestamp for row in rows], [row.source for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [times, sources, version.pk, times])
        found = [Snapshot(**dict(zip(NAMES, row, strict=True))) for row in cursor.fetchall()]
    return {snapshot.key: snapshot for snapshot in found}


def _make_partitions(days: set[date]) -> None:
    """Partitions exist before their rows do; those seen once are not asked for again."""
    with connection.cursor() as cursor:
        for day in sorted(days - _made):
            cursor.execute("select ensure_snapshot_partition(%s)", [day])
    transaction.on_commit(lambda: _made.update(days), robust=True)


_made: set[date] = set()
