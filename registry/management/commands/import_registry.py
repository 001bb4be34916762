"""manage.py import_registry DIR --as USERNAME [--dry-run]: apply a tree of YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.manifests import importing
from registry.manifests.refusals import ManifestRefused


class Command(BaseCommand):
    help = "Bring the registry to what YAML manifests declare: all of it, or nothing."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--as", dest="username", required=True, help="whose doing it is; gates ask for them"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, username = options["folder"], options["username"]
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {username!r}.")
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        try:
            done = importing.apply(
                folder,
                user=user,
                tell=self.stdout.write,
                progress=self.stderr.write,
                dry_run=options["dry_run"],
            )
        except ManifestRefused as refusal:
            raise CommandError(f"{refusal}\nNothing was changed.") from refusal
        counts = ", ".join(f"{count} {outcome}" for outcome, count in done.items())
        self.stdout.write(f"{counts}{' (dry run: nothing was changed)' * options['dry_run']}.")
