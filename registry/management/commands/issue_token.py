"""manage.py issue_token USERNAME --role ROLE: prints the token, alone, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry import clock, tokens
from registry.errors import InvalidInput
from registry.models import ModelFamily


class Command(BaseCommand):
    help = "Issue a bearer token; the user is made where missing and joins the role's group."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", required=True, help=", ".join(tokens.SCOPES))
        parser.add_argument("--family", help="bind it to one registered model; serving has to be")
        parser.add_argument("--team", default="", help="bind it to one team's models")
        when = parser.add_mutually_exclusive_group()
        when.add_argument("--days", type=int, help="expire it after so many days")
        when.add_argument("--expires", help="expire it then: 2027-01-31T12:00:00Z")

    def handle(self, *args: Any, **options: Any) -> None:
        family = self._family(options["family"])
        try:
            token = tokens.issue(
                options["username"],
                role=options["role"],
                family=family,
                team=options["team"],
                expires_at=_end(options["days"], options["expires"]),
            )
        except InvalidInput as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(token)

    def _family(self, name: str | None) -> ModelFamily | None:
        if name is None:
            return None
        family = ModelFamily.objects.filter(name=name).first()
        if family is None:
            raise CommandError(
                f"There is no registered model named {name!r}; register its first version, then "
                "issue its token."
            )
        return family


def _end(days: int | None, expires: str | None) -> datetime | None:
    """When the token expires; None: never."""
    if days is not None:
        return clock.now() + timedelta(days=days)
    if expires is None:
        return None
    try:
        end = datetime.fromisoformat(expires)
    except ValueError:
        end = clock.now()
    if end.tzinfo is None or end <= clock.now():
        raise CommandError("--expires takes a time to come with its offset: 2027-01-31T12:00:00Z.")
    return end
