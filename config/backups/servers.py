"""PostgreSQL's own programs for dumping and restoring, fitted to the server's version."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO

import psycopg
from psycopg import conninfo

from config.backups.errors import BackupRefused
from config.embedded import CannotRun
from config.embedded.locations import client_binary

LAST_WORDS = 5  # lines
ROWS_FOLLOW = re.compile(rb"COPY .* FROM stdin;\n")
END_OF_ROWS = b"\\.\n"
VERSION_NOTE = re.compile(rb"ALTER TABLE .* ALTER COLUMN .* SET \(pg_attver=\d+\);\n")


def connect(url: str) -> psycopg.Connection:
    """A connection as the role that owns the tables.

    Raises:
        BackupRefused: The database does not answer.
    """
    try:
        return psycopg.connect(url)
    except psycopg.OperationalError as error:
        raise BackupRefused(
            f"The database does not answer ({str(error).strip().splitlines()[0]}): start Assay with "
            "`make up`, or set DATABASE_URL and ASSAY_OWNER_DATABASE_URL."
        ) from error


def dump(url: str, file: Path, *, snapshot: str, server: int) -> None:
    """Write all of the database, as ``snapshot`` sees it, in PostgreSQL's custom format."""
    options = ("--format=custom", f"--snapshot={snapshot}", "--no-owner", f"--file={file}")
    _run("pg_dump", url, options, server)


def load(url: str, file: Path, *, server: int) -> None:
    """Bring a dump into an empty database: all of it, or nothing."""
    read = _command("pg_restore", server, "--no-owner", "--file=-", str(file))
    write = _command("psql", server, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *_at(url))
    with tempfile.TemporaryFile() as unread, tempfile.TemporaryFile() as unwritten:
        with (
            subprocess.Popen(read, stdout=PIPE, stderr=unread) as reader,
            subprocess.Popen(write, stdin=PIPE, stdout=DEVNULL, stderr=unwritten, env=_as(url))
            as writer,
        ):  # fmt: skip
            whole = _pass_on(reader, writer)
        if not whole:
            _refuse("pg_restore", reader.returncode, _said(unread))
        _refuse("psql", writer.returncode, _said(unwritten))


def _pass_on(reader: subprocess.Popen[bytes], writer: subprocess.Popen[bytes]) -> bool:
    """Write what is read, in one transaction; whether all could be read, without which none stays."""
    assert reader.stdout is not None
    assert writer.stdin is not None
    # The writer ends at its first error, and says why: then nobody takes the rest.
    with contextlib.suppress(BrokenPipeError), writer.stdin as script:
        script.write(b"begin;\n")
        script.writelines(without_versions(reader.stdout))
        if reader.wait():
            return False
        script.write(b"commit;\n")
    return True


def without_versions(script: Iterable[bytes]) -> Iterator[bytes]:
    """A dump's lines without the notes that the server it comes from kept at its columns.

    PostgreSQL 15.20 and its contemporaries note ``pg_attver`` among a column's options; programs from
    before write it out as one, and servers from before refuse it. Rows are passed as they are.
    """
    in_rows = False
    for line in script:
        in_rows = line != END_OF_ROWS if in_rows else ROWS_FOLLOW.match(line) is not None
        if in_rows or VERSION_NOTE.fullmatch(line) is None:
            yield line


def _run(program: str, url: str, options: Sequence[str], server: int) -> None:
    command = _command(program, server, *_at(url), *options)
    done = subprocess.run(command, env=_as(url), capture_output=True, check=False)
    _refuse(program, done.returncode, done.stderr)


def _command(program: str, server: int, *options: str) -> list[str]:
    try:
        return [str(client_binary(program, server=server)), *options]
    except CannotRun as error:
        raise BackupRefused(str(error)) from error


def _at(url: str) -> tuple[str]:
    """The option that says where; the password is not in it, a command line is everybody's to read."""
    asked = conninfo.conninfo_to_dict(url)
    asked.pop("password", None)
    return (f"--dbname={conninfo.make_conninfo('', **asked)}",)


def _as(url: str) -> dict[str, str]:
    """The environment, with the password."""
    asked = conninfo.conninfo_to_dict(url)
    return os.environ | ({"PGPASSWORD": str(asked["password"])} if "password" in asked else {})


def _said(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _refuse(program: str, code: int, said: bytes) -> None:
    if code:
        words = "\n".join(said.decode(errors="replace").strip().splitlines()[-LAST_WORDS:])
        raise BackupRefused(f"{program} failed:\n{words}")
