"""manage.py ask "promote fraud detector to canary" [--as USERNAME] [--yes]."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.copilot import askers, conversation
from governance.copilot.askers import Asker
from governance.copilot.replies import Kind, Reply
from registry import clock
from registry.errors import RegistryError


class Command(BaseCommand):
    help = "Ask the Co-Pilot, or have it change something after a confirmation. Try: ask help"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("words", nargs="+", help="what you would say; quotes are optional")
        parser.add_argument("--as", dest="username", help="who asks; ASSAY_ACTOR, else local")
        parser.add_argument("--yes", action="store_true", help="confirm the plan, if there is one")

    def handle(self, *args: Any, **options: Any) -> None:
        asker = _asker(options["username"])
        reply = conversation.ask(" ".join(options["words"]), asker, now=clock.now())
        self._say(reply)
        if (
            reply.kind in (Kind.REFUSAL, Kind.QUESTION)
            or reply.blockers
            and reply.kind == Kind.PLAN
        ):
            sys.exit(1)
        if options["yes"] and reply.confirmation and not reply.exact:
            raise CommandError("--yes confirms only where the model is named exactly.")
        if reply.confirmation and self._is_confirmed(yes=options["yes"]):
            try:
                self._say(conversation.confirm(reply.confirmation, asker, now=clock.now()))
            except RegistryError as refusal:
                raise CommandError(str(refusal)) from refusal

    def _is_confirmed(self, *, yes: bool) -> bool:
        if yes:
            return True
        if not sys.stdin.isatty():
            self.stdout.write("Nothing was changed. Add --yes to confirm.")
            return False
        return input("Do it? [y/N] ").strip().lower() in ("y", "yes")

    def _say(self, reply: Reply) -> None:
        self.stdout.write("\n".join(_lines(reply)))


def _asker(username: str | None) -> Asker:
    name = username or os.environ.get("ASSAY_ACTOR") or "local"
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user {name!r}; make one with issue_token.")
    return askers.by_user(user)


def _lines(reply: Reply) -> Iterator[str]:
    """A reply as plain text."""
    yield from reply.says
    yield from (f"  ✗ {blocker}" for blocker in reply.blockers)
    widths = [max(map(len, column)) for column in zip(*reply.table, strict=True)]
    for row in reply.table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
    yield from (f"  → {choice}" for choice in reply.choices)
    if not reply.table:
        yield from (f"  {record.label}: {record.url}" for record in reply.records)
    if reply.call:
        yield f"  API: {reply.call}"
