"""Whether a database has all that the migrations here make, so that a start has nothing to migrate."""

from __future__ import annotations

import psycopg
from django.db.migrations.loader import MigrationLoader

APPLIED = "select app, name from django_migrations"


def is_current(database_url: str) -> bool:
    """Whether every migration of ours has been applied: what ``migrate`` would find out as well.

    It would take a process of its own and, of two processors, a second.
    """
    try:
        with psycopg.connect(database_url) as connection:
            applied = set(connection.execute(APPLIED).fetchall())
    except psycopg.Error:  # new, or not to be had: migrating begins with it, or says why it cannot
        return False
    return set(MigrationLoader(None).disk_migrations) <= applied
