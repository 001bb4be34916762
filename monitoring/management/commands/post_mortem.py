"""manage.py post_mortem ID: an incident written up in Markdown."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring import post_mortem
from monitoring.pages import incidents
from registry.errors import RegistryError


class Command(BaseCommand):
    help = "Print the post-mortem of an incident, in Markdown."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("incident", type=int, help="its number")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            story = incidents.story(options["incident"])
        except RegistryError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(post_mortem.written(story, settings.ASSAY_BASE_URL), ending="")
