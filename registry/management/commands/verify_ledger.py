"""manage.py verify_ledger: is the record as it was?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry import clock
from registry.ledger import checkpoints, verify

EVERY = 100_000  # leaves between two lines of progress


class Command(BaseCommand):
    help = "Recompute the ledger from the events, and compare it with what was signed and kept."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--outside",
            type=Path,
            default=checkpoints.outside_file(),
            help="checkpoints kept outside the database; default: the file beside the key",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        copies = list(checkpoints.copies(options["outside"]))
        began = clock.now()
        report = verify.verify(copies, progress=self._progress)
        seconds = (clock.now() - began).total_seconds()
        self.stdout.write(
            f"{report.leaves:,} events are in the tree and {report.pending:,} wait for it; "
            f"{report.checkpoints:,} checkpoints and {report.copies:,} outside copies were checked "
            f"in {seconds:.1f} s."
        )
        for finding in report.findings:
            self.stderr.write(f"✗ {finding.what}")
        if not report.sound:
            raise CommandError(f"{len(report.findings)} findings: the record is not as it was.")
        if report.checkpoints and not report.copies:
            raise CommandError(
                f"There is no outside copy in {options['outside']}: that the newest events are all "
                "there cannot be shown. Name one that was kept elsewhere with --outside FILE."
            )
        self.stdout.write("The record is as it was.")

    def _progress(self, done: int, total: int) -> None:
        if done % EVERY < verify.BATCH and done >= EVERY:
            self.stdout.write(f"{done:,} of {total:,} events")
