"""``manage.py create_roles URL``: the roles and the database on a PostgreSQL of your own."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser

import psycopg
from django.core.management.base import BaseCommand

from config.embedded import CannotRun, given, roles

PASSWORD_BYTES = 24


class Command(BaseCommand):
    """Make one role that owns, one that migrates, one that uses; print how to reach them."""

    help = "Make Assay's roles and database on a PostgreSQL, and print the URLs to set."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", metavar="SUPERUSER_URL", help="postgresql://postgres:…@host/…")
        parser.add_argument("--database", default="assay", help="default: assay")

    def handle(self, *args: object, url: str, database: str, **options: object) -> None:
        """Give both roles that log in new passwords; run again, it changes those alone.

        Raises:
            SystemExit: The server cannot be used, or the URL is not a superuser's.
        """
        passwords = {
            role: secrets.token_urlsafe(PASSWORD_BYTES)
            for role in (roles.APPLICATION, roles.MIGRATOR)
        }
        try:
            given.check_database(url, "SUPERUSER_URL")
            roles.create(url, database=database, passwords=passwords)
        except (CannotRun, psycopg.Error) as reason:
            raise SystemExit(str(reason).strip()) from reason
        for variable, role in (
            ("DATABASE_URL", roles.APPLICATION),
            ("ASSAY_OWNER_DATABASE_URL", roles.MIGRATOR),
        ):
            address = roles.address(url, role=role, password=passwords[role], database=database)
            self.stdout.write(f"{variable}={address}")
