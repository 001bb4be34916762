"""manage.py revoke_token ID…: what uses these tokens is refused from now on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry import clock, tokens
from registry.models import ApiToken


class Command(BaseCommand):
    help = "Revoke bearer tokens by number; without a number, list those that are live."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", nargs="*", type=int, help="as the list shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["number"]:
            self._list()
            return
        found = ApiToken.objects.select_related("user").in_bulk(options["number"])
        missing = sorted(set(options["number"]) - found.keys())
        if missing:
            raise CommandError(f"There is no token {missing[0]}; nothing was revoked.")
        for token in found.values():
            tokens.revoke(token, now=clock.now())
            self.stdout.write(f"{token.pk}: the {token} is revoked.")

    def _list(self) -> None:
        for token in ApiToken.objects.select_related("user", "family").filter(revoked_at=None):
            reach = token.family or token.team or "any model"
            end = f"{token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "never"
            self.stdout.write(f"{token.pk}: {token}, for {reach}, expires: {end}")
