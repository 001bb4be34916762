"""Take a backup of a running registry: one file, true of one moment."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from config.backups import servers
from config.backups.contents import ARTIFACTS, DUMP, HOME, NAME, Contents
from config.backups.errors import BackupRefused
from config.backups.homes import artifact_path, files_to_keep, sha256_of

Say = Callable[[str], None]
CHUNK = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """One snapshot of the database, held open while everything is read as it was then."""

    connection: psycopg.Connection
    snapshot: str
    server: int  # major version


def take(file: Path, *, home: Path, url: str, say: Say) -> Contents:
    """Write a backup of the registry in ``home`` to ``file``, while it is in use.

    The database is dumped from one snapshot. Artifacts are never changed or removed, and a row is
    written after its file, so copying them later than the snapshot misses none.

    Args:
        url: The database, as the role that owns the tables.

    Raises:
        BackupRefused: The file exists, the database does not answer, or an artifact is missing.
    """
    if file.exists():
        raise BackupRefused(f"{file} exists already: give the name of a new file.")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as place:
        dump = Path(place) / DUMP
        with _moment(url) as moment:
            say("Dumping the database.")
            servers.dump(url, dump, snapshot=moment.snapshot, server=moment.server)
            contents = _contents(moment, dump, home)
        draft = Path(place) / "archive"
        _write(draft, contents, dump, home, say)
        os.link(draft, file)  # refuses to replace a file made meanwhile
    return contents


@contextmanager
def _moment(url: str) -> Iterator[Moment]:
    with servers.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        snapshot = str(_one(connection, "select pg_export_snapshot()"))
        yield Moment(connection, snapshot, connection.info.server_version // 10_000)


def _contents(moment: Moment, dump: Path, home: Path) -> Contents:
    connection = moment.connection
    applied = connection.execute("select app || '.' || name from django_migrations").fetchall()
    artifacts = connection.execute("select sha256, size from registry_artifact").fetchall()
    return Contents(
        taken_at=_one(connection, "select now()"),
        server=str(_one(connection, "show server_version")),
        newest_event_id=_one(connection, "select coalesce(max(id), 0) from registry_event"),
        tree_size=_one(connection, "select coalesce(max(index) + 1, 0) from registry_ledgerleaf"),
        migrations=[name for (name,) in applied],
        artifacts=dict(artifacts),
        dump_sha256=sha256_of(dump),
        home_sha256={str(path.relative_to(home)): sha256_of(path) for path in files_to_keep(home)},
    )


def _one(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _write(draft: Path, contents: Contents, dump: Path, home: Path, say: Say) -> None:
    """The archive, uncompressed: dumps and weights hardly shrink."""
    with draft.open("xb") as raw, tarfile.open(fileobj=raw, mode="w") as archive:
        os.fchmod(raw.fileno(), 0o600)  # it holds keys
        _add_bytes(archive, NAME, contents.to_json())
        archive.add(dump, DUMP)
        for name in contents.home_sha256:
            archive.add(home / name, f"{HOME}/{name}")
        for number, (sha256, size) in enumerate(sorted(contents.artifacts.items()), 1):
            say(f"Copying artifact {number} of {len(contents.artifacts)}, {size:,} bytes.")
            _add_artifact(archive, artifact_path(home, sha256), sha256)
        raw.flush()
        os.fsync(raw.fileno())


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _add_artifact(archive: tarfile.TarFile, path: Path, sha256: str) -> None:
    """Copy a file and hash it on the way: a backup never carries a rotten artifact unnoticed."""
    if not path.exists():
        raise BackupRefused(
            f"The artifact {sha256} is missing from {path}: restore that file first."
        )
    member = tarfile.TarInfo(f"{ARTIFACTS}/{sha256}")
    with path.open("rb") as file:
        member.size = os.fstat(file.fileno()).st_size
        reader = _Hashing(file)
        archive.addfile(member, reader)
    if reader.sha256 != sha256:
        raise BackupRefused(f"The artifact {path} has rotted: it is {reader.sha256} now.")


class _Hashing(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._file.read(size)
        self._digest.update(chunk)
        return chunk

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
