"""Empty a database of all that was ever recorded in it, as the product itself cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import redis
from psycopg import sql

from monitoring import snapshots

# Filled by migrations: what a scenario or a test leaves must go, these must stay.
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
DAYS = """
select relname from pg_inherits join pg_class on oid = inhrelid
where inhparent = 'memory_model_performance'::regclass
"""
TRUNCATE_TRIGGERS = """
select tgrelid::regclass::text, tgname from pg_trigger where not tgisinternal and tgtype & 32 <> 0
"""


def empty(owner_url: str, redis_url: str) -> None:
    """Remove everything but what the migrations made, as the owner."""
    _empty_database(owner_url)
    snapshots.forget_partitions()
    with redis.Redis.from_url(redis_url) as broker:
        for key in broker.scan_iter("assay:traffic:*"):  # of rows whose numbers are given anew
            broker.delete(key)


def _empty_database(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        guards = [tuple(row) for row in connection.execute(TRUNCATE_TRIGGERS).fetchall()]
        for (day,) in connection.execute(DAYS).fetchall():
            if not _is_present(day):
                connection.execute(sql.SQL("drop table {}").format(sql.Identifier(day)))
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


def _is_present(day: str) -> bool:
    """Whether a partition is of the days that it really is: other processes know that it is there."""
    away = datetime.strptime(day[-8:], "%Y%m%d").replace(tzinfo=UTC) - datetime.now(UTC)
    return timedelta(days=-2) < away < timedelta(days=snapshots.DAYS_AHEAD + 1)


def _switch(connection: psycopg.Connection, table: str, trigger: str, how: str) -> None:
    connection.execute(
        sql.SQL("alter table {} {} trigger {}").format(
            sql.Identifier(table), sql.SQL(how), sql.Identifier(trigger)
        )
    )
