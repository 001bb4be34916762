"""manage.py export_registry [DIR]: the registry as a tree of YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.manifests import exporting


class Command(BaseCommand):
    help = "Write the registry as YAML manifests; also repairs a tree that has drifted."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, help="default: ASSAY_YAML_DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"] or settings.ASSAY_YAML_DIR
        if folder is None:
            raise CommandError("Name a folder, or set ASSAY_YAML_DIR.")
        try:
            done = exporting.export(folder, progress=self.stderr.write)
        except OSError as error:
            raise CommandError(f"Cannot write {error.filename}: {error.strerror}.") from error
        self.stdout.write(f"{folder}: {done['written']} written, {done['unchanged']} unchanged.")
        if done["left_out"]:
            raise CommandError(f"{done['left_out']} left out; they are named above.")
