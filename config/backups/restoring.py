"""Bring a backup into a fresh home, and look whether everything is there."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from django.db.migrations.loader import MigrationLoader

from config.backups import servers
from config.backups.contents import ARTIFACTS, DUMP, HOME, NAME, Contents
from config.backups.errors import BackupRefused
from config.backups.homes import artifact_path

Say = Callable[[str], None]
CHUNK = 1024 * 1024  # bytes
ANY_TABLE = "select 1 from pg_tables where schemaname = 'public' limit 1"


def restore(file: Path, *, home: Path, url: str, say: Say) -> Contents:
    """Bring the backup into an empty database and the home beside it.

    Artifacts come first, so that a row never points at nothing; the database comes in one
    transaction. Interrupted, it can be started again.

    Args:
        url: The empty database, as the role that is to own the tables.

    Raises:
        BackupRefused: The file is damaged or none of ours, was made by a newer Assay, or the
            database or the home holds something else already.
    """
    contents = read(file)
    _refuse_newer(contents)
    with servers.connect(url) as connection:
        server = connection.info.server_version // 10_000
        if connection.execute(ANY_TABLE).fetchone():
            raise BackupRefused(
                "The database is not empty: restore into a new home (set ASSAY_HOME), or into a "
                "new database."
            )
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=home) as place:
        say(f"Reading {file}, taken at {contents.taken_at:%Y-%m-%d %H:%M:%S} UTC.")
        dump = _unpack(file, contents, home, Path(place), say)
        say("Loading the database.")
        servers.load(url, dump, server=server)
    return contents


def read(file: Path) -> Contents:
    """What ``file`` says it holds.

    Raises:
        BackupRefused: It cannot be read, or is none of ours.
    """
    try:
        with tarfile.open(file, "r:") as archive:
            first = archive.next()
            stream = archive.extractfile(first) if first and first.name == NAME else None
            if stream is None:
                raise BackupRefused(f"{file} is no backup of Assay's: give one made by `backup`.")
            return Contents.from_json(stream.read())
    except (OSError, tarfile.TarError) as error:
        raise BackupRefused(f"{file} cannot be read: {error}.") from error


def _refuse_newer(contents: Contents) -> None:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := sorted(set(contents.migrations) - known):
        raise BackupRefused(
            f"This backup was made by a newer Assay (it knows {unknown[-1]}): restore it with that one."
        )


def _unpack(file: Path, contents: Contents, home: Path, place: Path, say: Say) -> Path:
    """Every member to its place, each re-hashed on the way; the dump's path."""
    wanted = (
        {DUMP: (contents.dump_sha256, place / DUMP)}
        | {f"{HOME}/{name}": (sha256, home / name) for name, sha256 in contents.home_sha256.items()}
        | {f"{ARTIFACTS}/{s}": (s, artifact_path(home, s)) for s in contents.artifacts}
    )
    with tarfile.open(file, "r:") as archive:
        for member in archive:
            if member.name == NAME:
                continue
            stream = archive.extractfile(member)
            if member.name not in wanted or stream is None:
                raise BackupRefused(
                    f"{file} holds {member.name!r}, which no backup of Assay's does."
                )
            sha256, target = wanted.pop(member.name)
            _place(stream, target, sha256, place)
            say(f"Restored {member.name}, {member.size:,} bytes.")
    if wanted:
        raise BackupRefused(f"{file} is cut short: {min(wanted)} is missing. Use another copy.")
    return place / DUMP


def _place(stream: IO[bytes], target: Path, sha256: str, place: Path) -> None:
    """Write a file beside its place, hash it, and only then give it its name."""
    draft = place / "draft"
    digest = hashlib.sha256()
    with draft.open("wb") as out:
        os.fchmod(out.fileno(), 0o600)
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != sha256:
        raise BackupRefused(
            f"{target.name} is damaged in the backup: use another copy of the file."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(target)
