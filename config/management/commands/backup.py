"""``manage.py backup FILE``: a full copy of the registry in one file, while it is in use."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand

from config import backups, env


class Command(BaseCommand):
    """Copy database, artifacts and keys."""

    help = "Write database, artifacts and keys to FILE; Assay may be in use meanwhile."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: object, file: Path, **options: object) -> None:
        """Write the file, or leave none.

        Raises:
            SystemExit: It could not be taken; the sentence says why, and the remedy.
        """
        try:
            contents = backups.take(
                file, home=env.home(), url=env.owner_database_url(), say=self.stdout.write
            )
        except (backups.BackupRefused, OSError) as reason:
            raise SystemExit(str(reason)) from reason
        self.stdout.write(
            f"{file} holds {len(contents.artifacts)} artifacts and {contents.newest_event_id} "
            f"events, up to {contents.taken_at:%Y-%m-%d %H:%M:%S} UTC. It holds keys: keep it safe."
        )
