"""manage.py run_playbook NAME --event ID [--dry-run]: answer an event, or see what would be done."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.playbooks import engine, rehearsal
from registry import clock
from registry.errors import RegistryError


class Command(BaseCommand):
    help = "Run a playbook for an event that it answers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--event", type=int, required=True, help="the event's number")
        parser.add_argument(
            "--dry-run", action="store_true", help="print the steps, change nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            playbook, event = rehearsal.choose(options["name"], options["event"])
        except RegistryError as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["dry_run"]:
            for line in rehearsal.rehearse(playbook, event, now=clock.now()):
                self.stdout.write(line)
            self.stdout.write("Dry run: nothing was changed.")
            return
        run, made = engine.start(playbook, event, now=clock.now())
        self.stdout.write(f"Run {run.pk} is {run.state}{'' if made else ', and was there before'}.")
