"""manage.py check_playbooks [DIR]: read users' playbooks as the product would.

With ``--reference`` it prints every field and kind of step, as docs/playbooks.md has them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.playbooks import reference, shelf


class Command(BaseCommand):
    help = "Say what is wrong with playbooks, by file and line, and which there are."
    requires_system_checks: list[str] = []  # these would stop it for what it is to tell

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder",
            nargs="?",
            type=Path,
            default=settings.ASSAY_PLAYBOOKS_DIR,
            help="where they are; ASSAY_PLAYBOOKS_DIR where it is left out",
        )

        parser.add_argument("--reference", action="store_true", help="print what can be written")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["reference"]:
            self.stdout.write(reference.markdown())
            return
        found = shelf.read(options["folder"])
        for book in found.playbooks.values():
            whose = "ours" if book.name in found.own else "yours"
            said = f"{book.name} ({whose}): {len(book.steps)} steps on {book.event_type}"
            self.stdout.write(f"{said}, sha256 {book.digest}")
        if found.faults:
            raise CommandError("\n".join(map(str, found.faults)))
