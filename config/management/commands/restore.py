"""``manage.py restore FILE``: bring a backup into a fresh home, and check it."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand

from config import backups, embedded, env
from config.backups import checking


class Command(BaseCommand):
    """Restore database, artifacts and keys, and look whether all of it is there."""

    help = "Bring a backup into an empty home (ASSAY_HOME) and database, and check it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--outside",
            type=Path,
            metavar="FILE",
            help="the lost registry's ledger/checkpoints.jsonl; says what is newer and lost",
        )

    def handle(self, *args: object, file: Path, outside: Path | None, **options: object) -> None:
        """Restore, migrate to this version, check, and say what is newer outside.

        Raises:
            SystemExit: It could not be restored, or something is missing afterwards.
        """
        home = env.home()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with _database(home):
                contents = backups.restore(
                    file, home=home, url=env.owner_database_url(), say=self.stdout.write
                )
                call_command("migrate", database="owner", verbosity=0)
                for line in checking.check(contents, outside=outside):
                    self.stdout.write(line)
        except (backups.BackupRefused, embedded.CannotRun, OSError) as reason:
            raise SystemExit(str(reason)) from reason
        self.stdout.write(f"Restored into {home}; start it with `make up ASSAY_HOME={home}`.")


@contextmanager
def _database(home: Path) -> Iterator[None]:
    """The database that the environment names, else the home's own for as long as this takes."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    with embedded.servers(home):
        yield
