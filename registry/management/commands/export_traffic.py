"""manage.py export_traffic FAMILY --as KIND: desired traffic, for a gateway."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.errors import RegistryError
from registry.exports import rendering


class Command(BaseCommand):
    help = "Print how a family's requests should be shared now, in the words of a gateway."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("family")
        parser.add_argument("--as", required=True, choices=list(rendering.KINDS), dest="kind")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = rendering.render(options["family"], options["kind"])
        except RegistryError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(text, ending="")
