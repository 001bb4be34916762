"""The database roles: one owns, one migrates as the owner, one uses and owns nothing."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

OWNER = "assay_owner"
MIGRATOR = "assay_migrator"
APPLICATION = "assay_app"


def create(
    superuser_url: str, *, database: str, passwords: Mapping[str, str] | None = None
) -> None:
    """Make the roles and ``database`` where they are missing; run twice, it changes nothing.

    Args:
        passwords: Of the roles that log in, set anew each time; without, they have none.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        _create_roles(connection)
        for role, password in (passwords or {}).items():
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(_name(role), sql.Literal(password)))
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", database):
            statement = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(statement.format(_name(database), _name(OWNER)))
    with psycopg.connect(superuser_url, dbname=database, autocommit=True) as connection:
        _grant_by_default(connection)


def address(superuser_url: str, *, role: str, password: str, database: str) -> str:
    """The URL of ``database`` on the same server, as ``role``."""
    parts = urlsplit(superuser_url)
    place = parts.netloc.rpartition("@")[2]
    netloc = f"{role}:{quote(password, safe='')}@{place}"
    return urlunsplit((parts.scheme, netloc, f"/{quote(database)}", parts.query, ""))


def _create_roles(connection: psycopg.Connection) -> None:
    _create_role(connection, OWNER, "NOLOGIN")
    _create_role(connection, MIGRATOR, "LOGIN")
    _create_role(connection, APPLICATION, "LOGIN")
    owner, migrator = _name(OWNER), _name(MIGRATOR)
    connection.execute(sql.SQL("GRANT {} TO {}").format(owner, migrator))
    # What a migration makes belongs to the owner, whoever runs it.
    connection.execute(sql.SQL("ALTER ROLE {} SET role = {}").format(migrator, owner))


def _create_role(connection: psycopg.Connection, role: str, login: str) -> None:
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
        connection.execute(sql.SQL("CREATE ROLE {} {}").format(_name(role), sql.SQL(login)))


def _grant_by_default(connection: psycopg.Connection) -> None:
    """Let the application read and change the rows of all that the owner will make."""
    for privileges, kind in (
        ("SELECT, INSERT, UPDATE, DELETE", "TABLES"),
        ("USAGE, SELECT", "SEQUENCES"),
    ):
        statement = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} GRANT {} ON {} TO {}")
        connection.execute(
            statement.format(_name(OWNER), sql.SQL(privileges), sql.SQL(kind), _name(APPLICATION))
        )


def _exists(connection: psycopg.Connection, query: str, name: str) -> bool:
    return connection.execute(query.encode(), [name]).fetchone() is not None


def _name(identifier: str) -> sql.Identifier:
    return sql.Identifier(identifier)
