"""``manage.py create_roles [URL]``: the roles and the database on a PostgreSQL of your own."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser

import psycopg
from django.core.management.base import BaseCommand

from config import env
from config.embedded import CannotRun, given, roles

PASSWORD_BYTES = 24
VARIABLES = {"DATABASE_URL": roles.APPLICATION, "ASSAY_OWNER_DATABASE_URL": roles.MIGRATOR}
SUPERUSER = "ASSAY_SUPERUSER_DATABASE_URL"


class Command(BaseCommand):
    """Make one role that owns, one that migrates, one that uses."""

    help = (
        "Make Assay's roles and database on a PostgreSQL, and print the URLs to set. Without "
        f"SUPERUSER_URL, {SUPERUSER} is the superuser's, and the roles get the "
        "passwords that DATABASE_URL and ASSAY_OWNER_DATABASE_URL have."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "url", nargs="?", metavar="SUPERUSER_URL", help="postgresql://postgres:…@host/…"
        )
        parser.add_argument("--database", default="assay", help="with a URL; default: assay")

    def handle(self, *args: object, url: str | None, database: str, **options: object) -> None:
        """Give both roles that log in their passwords; run again, it changes those alone.

        Raises:
            SystemExit: The server cannot be used, or a URL is not what it has to be.
        """
        try:
            if url:
                self._with_new_passwords(url, database)
            else:
                self._as_set()
        except (CannotRun, psycopg.Error) as reason:
            raise SystemExit(str(reason).strip()) from reason

    def _with_new_passwords(self, url: str, database: str) -> None:
        passwords = {
            role: secrets.token_urlsafe(PASSWORD_BYTES)
            for role in (roles.APPLICATION, roles.MIGRATOR)
        }
        given.check_database(url, "SUPERUSER_URL")
        roles.create(url, database=database, passwords=passwords)
        for variable, role in VARIABLES.items():
            address = roles.address(url, role=role, password=passwords[role], database=database)
            self.stdout.write(f"{variable}={address}")

    def _as_set(self) -> None:
        superuser = env.superuser_database_url()
        if not superuser:
            raise CannotRun(f"Give the URL of a superuser, or set {SUPERUSER}.")
        urls = dict(zip(VARIABLES, (env.database_url(), env.owner_database_url()), strict=True))
        found = {variable: _asked(variable, url) for variable, url in urls.items()}
        databases = {asked["NAME"] for asked in found.values()}
        if len(databases) > 1:
            raise CannotRun(f"{' and '.join(VARIABLES)} name two databases: name one.")
        given.check_database(superuser, SUPERUSER)
        passwords = {asked["USER"]: asked["PASSWORD"] for asked in found.values()}
        roles.create(superuser, database=databases.pop(), passwords=passwords)
        self.stdout.write(f"Roles and database are as {' and '.join(VARIABLES)} name them.")


def _asked(variable: str, url: str) -> dict[str, str]:
    """The role, its password and the database that ``url`` names.

    Raises:
        CannotRun: It names another role than Assay's, or no password.
    """
    asked = env.database(url)
    if asked["USER"] != VARIABLES[variable] or not asked["PASSWORD"]:
        raise CannotRun(
            f"{variable} names the role {VARIABLES[variable]} and its password, which may be in "
            f"the file that {variable.removesuffix('_URL')}_PASSWORD_FILE names."
        )
    return asked
