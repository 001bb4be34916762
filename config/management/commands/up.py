"""``manage.py up``: all of Assay on this machine, until Ctrl-C."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand

from config import env
from config.embedded import CannotRun, supervisor


class Command(BaseCommand):
    """Start database, broker, web, workers and beat, and keep them running."""

    help = "Run all of Assay on this machine until Ctrl-C: database, broker, web, workers, beat."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=env.port(), help="default: ASSAY_PORT")
        parser.add_argument("--home", type=Path, default=env.home(), help="default: ASSAY_HOME")

    def handle(self, *args: object, port: int, home: Path, **options: object) -> None:
        """Return after Ctrl-C or SIGTERM.

        Raises:
            SystemExit: Assay cannot start or go on; the sentence is what the person reads.
        """
        try:
            supervisor.up(home, port)
        except CannotRun as reason:
            raise SystemExit(str(reason)) from reason
