"""PostgreSQL's own programs for dumping and restoring, fitted to the server's version."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import conninfo

from config.backups.errors import BackupRefused
from config.embedded import CannotRun
from config.embedded.locations import client_binary

LAST_WORDS = 5  # lines


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
    options = ("--single-transaction", "--exit-on-error", "--no-owner", str(file))
    _run("pg_restore", url, options, server)


def _run(program: str, url: str, options: Sequence[str], server: int) -> None:
    try:
        binary = client_binary(program, server=server)
    except CannotRun as error:
        raise BackupRefused(str(error)) from error
    # The password goes by the environment: a command line is everybody's to read.
    asked = conninfo.conninfo_to_dict(url)
    password = {"PGPASSWORD": str(asked.pop("password"))} if "password" in asked else {}
    target = conninfo.make_conninfo("", **asked)
    done = subprocess.run(
        [str(binary), f"--dbname={target}", *options],
        env=os.environ | password,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-LAST_WORDS:])
        raise BackupRefused(f"{program} failed:\n{said}")
