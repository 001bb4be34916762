"""Keep reported snapshots: once each, whole batches or nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, connection, transaction
from msgspec.structs import astuple
from psycopg.errors import UniqueViolation

from monitoring import scheduling
from monitoring.parsing import Snapshot
from registry.models import ModelVersion

NAMES = Snapshot.__struct_fields__
KINDS = {"timestamp": "timestamptz", "num_requests": "int4", "source": "text", "device": "text"}
TYPES = ("int8", "text", "text", "bool", *(KINDS.get(name, "float8") for name in NAMES))
COPY = f"""
copy memory_model_performance (version_id, model_id, version, by_job, {", ".join(NAMES)})
from stdin (format binary)
"""
LATE = "(select rolled_until from monitoring_rolluprun order by id desc limit 1)"
# What comes after its minutes were added up leaves a mark, so that they are added up again.
MARK_LATE = f"""
insert into monitoring_latesnapshots (model_version_id, first, last) select %s, %s, %s
where %s <= {LATE}
"""
# Both at once, which a report of a few can do in one step.
INSERT = f"""
with new as (
    insert into memory_model_performance (version_id, model_id, version, by_job, {", ".join(NAMES)})
    select %s, %s, %s, %s, * from unnest({", ".join(f"%s::{KINDS.get(n, 'float8')}[]" for n in NAMES)})
    on conflict do nothing returning timestamp, source
), late as (
    insert into monitoring_latesnapshots (model_version_id, first, last)
    select %s, min(timestamp), max(timestamp) from new having min(timestamp) <= {LATE}
)
select timestamp, source from new
"""
KNOWN = f"""
select {", ".join(f"s.{name}" for name in NAMES)} from memory_model_performance s
join unnest(%s::timestamptz[], %s::text[]) as asked (timestamp, source) using (timestamp, source)
where s.version_id = %s and s.timestamp = any(%s::timestamptz[])
"""
DAYS_AHEAD = 7
FEW = 100  # a COPY in a transaction costs more than one statement until there are more

Known = dict[tuple[datetime, str], Snapshot]  # by what makes two reports the same one


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: new rows, repeats, and repeats with other values (by index)."""

    accepted: int
    duplicates: int
    conflicts: tuple[int, ...]


def store(version: ModelVersion, batch: Sequence[Snapshot], *, by_job: bool = False) -> Receipt:
    """Keep a batch in one transaction, and have the version's triggers checked at once.

    A snapshot's key is version, timestamp and source. A repeat with the same values is a
    duplicate; with other values a conflict: the first report stands, and the caller is told.

    Args:
        by_job: A serving token reports them; gates of tier high count no others.
    """
    first: Known = {}
    for snapshot in batch:
        first.setdefault(snapshot.key, snapshot)
    _make_partitions({snapshot.timestamp.date() for snapshot in batch})
    keep = _keep_few if len(first) <= FEW else _keep_many
    kept = keep(version, first, by_job)
    accepted = len(first) - len(kept)
    if version.is_serving and accepted:
        scheduling.check_after_commit(version)
    return _receipt(batch, first | kept, accepted)


def make_partitions_ahead(*, today: date) -> None:
    """Have the days to come ready, so that no ingest waits for one."""
    with transaction.atomic():
        _make_partitions({today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)})


def forget_partitions() -> None:
    """Ask for every day anew: somebody has dropped partitions."""
    _made.clear()


def _receipt(batch: Sequence[Snapshot], standing: Known, accepted: int) -> Receipt:
    conflicts = tuple(i for i, s in enumerate(batch) if standing[s.key] != s)
    return Receipt(accepted, len(batch) - accepted - len(conflicts), conflicts)


def _keep_few(version: ModelVersion, first: Known, by_job: bool) -> Known:
    """Write those that are new, in one statement; the others as the database has them, by key."""
    columns = map(list, zip(*map(astuple, first.values()), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [*_subject(version, by_job), *columns, version.pk])
        new = set(cursor.fetchall())
    others = [snapshot for key, snapshot in first.items() if key not in new]
    return _known(version, others) if others else {}


@transaction.atomic
def _keep_many(version: ModelVersion, first: Known, by_job: bool) -> Known:
    """The same, by COPY.

    Batches seldom repeat anything, so all are copied at once, and what stands in their way is looked
    up only if something does. Others may report the same just now: then that happens again.
    """
    kept: Known = {}
    while not _copied(version, [s for key, s in first.items() if key not in kept], by_job):
        kept = _known(version, first.values())
    if new := first.keys() - kept.keys():
        _mark_late(version, {at for at, _ in new})
    return kept


def _copied(version: ModelVersion, rows: Sequence[Snapshot], by_job: bool) -> bool:
    """Whether all could be written; where one is there already, none is."""
    try:
        with transaction.atomic(), connection.wrap_database_errors:
            _copy(version, rows, by_job)
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            return False
        raise
    return True


def _copy(version: ModelVersion, rows: Sequence[Snapshot], by_job: bool) -> None:
    subject = _subject(version, by_job)
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(subject + astuple(row))


def _subject(version: ModelVersion, by_job: bool) -> tuple[int, str, str, bool]:
    """What each row of the version begins with."""
    return version.pk, version.model_id, version.version, by_job


def _mark_late(version: ModelVersion, times: Collection[datetime]) -> None:
    oldest, newest = min(times), max(times)
    with connection.cursor() as cursor:
        cursor.execute(MARK_LATE, [version.pk, oldest, newest, oldest])


def _known(version: ModelVersion, rows: Collection[Snapshot]) -> Known:
    """The stored snapshots that stand where these would go."""
    times, sources = [row.timestamp for row in rows], [row.source for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [times, sources, version.pk, times])
        found = [Snapshot(*row) for row in cursor.fetchall()]
    return {snapshot.key: snapshot for snapshot in found}


def _make_partitions(days: set[date]) -> None:
    """Partitions exist before their rows do; those seen once are not asked for again."""
    with connection.cursor() as cursor:
        for day in sorted(days - _made):
            cursor.execute("select ensure_snapshot_partition(%s)", [day])
    transaction.on_commit(lambda: _made.update(days), robust=True)


_made: set[date] = set()
