"""``manage.py password [USERNAME]``: a new password for somebody who lost theirs."""

from __future__ import annotations

from argparse import ArgumentParser

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

from config import env
from config.embedded import postgres
from config.management.passwords import random_password
from registry import attempts


class Command(BaseCommand):
    """Set a new random password and print it."""

    help = "Set a new random password for a user and print it; Assay must be running."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default="admin", metavar="USERNAME")

    def handle(self, *args: object, username: str, **options: object) -> None:
        """Change the password of ``username``; sessions opened with the old one end.

        A name that has to wait after too many wrong passwords may sign in at once.

        Raises:
            SystemExit: Assay is not running, or has no such user.
        """
        if not postgres.answers(env.database_url()):
            raise SystemExit(
                f"Assay is not running from {env.home()}: start it with `make up`, then ask again."
            )
        user = User.objects.filter(username=username).first()
        if user is None:
            raise SystemExit(f"There is no user {username!r}.")
        password = random_password()
        user.set_password(password)
        user.save(update_fields=["password"])
        attempts.forgive(username)
        self.stdout.write(f"The new password of {username} is {password}")
