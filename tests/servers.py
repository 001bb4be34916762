"""The real PostgreSQL and Valkey of a test run, and how to empty the database between tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis
from psycopg import sql

from config import embedded, env
from tests import addresses

# Filled by migrations: emptying a test's leavings must not empty these.
KEPT = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "auth_user",
    "auth_user_groups",
}
TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
"""
TRUNCATE_TRIGGERS = """
select tgrelid::regclass::text, tgname from pg_trigger where not tgisinternal and tgtype & 32 <> 0
"""


@contextmanager
def running() -> Iterator[None]:
    """Servers for the run: a database on those it was given, else embedded ones in its home."""
    if addresses.given():
        mine = addresses.of_this_process()
        mine.make()
        try:
            yield
        finally:
            mine.drop()
        return
    with embedded.servers(Path(os.environ["ASSAY_HOME"]), durable=False):
        yield


def empty() -> None:
    """Remove what a test committed, as the owner: the product itself cannot."""
    with psycopg.connect(env.owner_database_url()) as connection:
        guards = [tuple(row) for row in connection.execute(TRUNCATE_TRIGGERS).fetchall()]
        for table, trigger in guards:
            _switch(connection, table, trigger, "disable")
        names = [row[0] for row in connection.execute(TABLES).fetchall() if row[0] not in KEPT]
        connection.execute(
            sql.SQL("truncate {} restart identity").format(
                sql.SQL(", ").join(map(sql.Identifier, names))
            )
        )
        connection.execute(
            "delete from auth_user_groups where user_id in"
            " (select id from auth_user where username <> 'local')"
        )
        connection.execute("delete from auth_user where username <> 'local'")
        for table, trigger in guards:
            _switch(connection, table, trigger, "enable always")
    broker = redis.Redis.from_url(env.redis_client_url())
    for key in broker.scan_iter("assay:traffic:*"):  # of rows whose numbers are given anew
        broker.delete(key)


def _switch(connection: psycopg.Connection, table: str, trigger: str, how: str) -> None:
    connection.execute(
        sql.SQL("alter table {} {} trigger {}").format(
            sql.Identifier(table), sql.SQL(how), sql.Identifier(trigger)
        )
    )
