"""``manage.py run_scenarios FILE [ID...]``: is it decided as the file expects?"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from config import embedded, env
from config.scenarios import reading, reporting
from config.scenarios.fields import ScenarioRefused
from config.scenarios.reading import Stories

# Scenarios remove all there is before each: they run only in a home that has this file.
THROWN_AWAY = "thrown-away"


class Command(BaseCommand):
    """Run scenarios on servers that exist for as long as that takes; no database in use is touched."""

    help = "Run the rollback scenarios of a YAML file on servers of their own; says what differs."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("ids", nargs="*", metavar="ID", help="only these; without, all")

    def handle(self, *args: object, file: Path, ids: list[str], **options: object) -> None:
        """Say ``N passed, M failed`` with each difference.

        Raises:
            SystemExit: One failed, the file cannot be read, or the servers do not start.
        """
        try:
            stories = reading.chosen(reading.read(file.read_text("utf-8"), file=str(file)), ids)
            if (settings.ASSAY_HOME / THROWN_AWAY).is_file():
                sys.exit(self._run_here(stories))
            sys.exit(_run_beside_servers(file.absolute(), ids))
        except (ScenarioRefused, OSError, UnicodeDecodeError, embedded.CannotRun) as reason:
            raise SystemExit(str(reason)) from reason

    def _run_here(self, stories: Stories) -> int:
        logging.disable(logging.WARNING)  # incidents are what is looked for
        call_command("migrate", database="owner", verbosity=0)
        connections["owner"].close()
        failed = reporting.report(stories, say=lambda line: self.stdout.write(line))
        return 1 if failed else 0


def _run_beside_servers(file: Path, ids: list[str]) -> int:
    """The exit code of this command beside fresh servers, without this installation's settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    with (
        tempfile.TemporaryDirectory(prefix="assay-") as home,
        embedded.servers(Path(home), durable=False) as started,
    ):
        Path(home, THROWN_AWAY).touch()
        addresses = {
            "ASSAY_HOME": home,
            "DATABASE_URL": started.database_url,
            "ASSAY_OWNER_DATABASE_URL": started.owner_database_url,
            "REDIS_URL": started.redis_url,
        }
        command = [sys.executable, "manage.py", "run_scenarios", str(file), *ids]
        return subprocess.run(
            command, env=inherited | addresses, cwd=env.ROOT, check=False
        ).returncode
