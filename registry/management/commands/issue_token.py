"""manage.py issue_token USERNAME --role ROLE: prints the token, alone, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from registry import tokens
from registry.errors import InvalidInput
from registry.models import ModelFamily


class Command(BaseCommand):
    help = "Issue a bearer token; the user is made where missing and joins the role's group."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", required=True, help=", ".join(tokens.SCOPES))
        parser.add_argument("--family", help="bind it to one registered model")
        parser.add_argument("--team", default="", help="bind it to one team's models")
        parser.add_argument("--days", type=int, help="expire it after so many days")

    def handle(self, *args: Any, **options: Any) -> None:
        family = self._family(options["family"])
        days = options["days"]
        try:
            token = tokens.issue(
                options["username"],
                role=options["role"],
                family=family,
                team=options["team"],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except InvalidInput as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(token)

    def _family(self, name: str | None) -> ModelFamily | None:
        if name is None:
            return None
        family = ModelFamily.objects.filter(name=name).first()
        if family is None:
            raise CommandError(f"There is no registered model named {name!r}.")
        return family
