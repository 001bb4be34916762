"""Servers of the user's own: whether they can be used, said before anything starts."""

from __future__ import annotations

import psycopg
import redis

from config.embedded.errors import CannotRun

OLDEST = 15  # of PostgreSQL
PATIENCE = 5  # seconds


def check_database(url: str, variable: str) -> str:
    """The version of the PostgreSQL that ``variable`` names.

    Raises:
        CannotRun: It does not answer, or is older than 15.
    """
    try:
        with psycopg.connect(url, connect_timeout=PATIENCE) as connection:
            found = connection.info.server_version
    except (psycopg.Error, ValueError) as error:
        said = str(error).strip().splitlines()[-1]
        raise CannotRun(
            f"The database that {variable} names cannot be used ({said}): start it, or mend the "
            "URL; `manage.py create_roles` makes the roles."
        ) from error
    if found < OLDEST * 10_000:
        raise CannotRun(
            f"The database that {variable} names is PostgreSQL {found // 10_000}, and Assay needs "
            f"{OLDEST} or newer."
        )
    return f"PostgreSQL {found // 10_000}"


def check_broker(url: str) -> None:
    """See that the broker that REDIS_URL names answers.

    Raises:
        CannotRun: It does not.
    """
    try:
        client = redis.Redis.from_url(
            url.replace("redis+socket://", "unix://", 1), socket_connect_timeout=PATIENCE
        )
        with client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise CannotRun(
            f"The broker that REDIS_URL names cannot be used ({error}): start it, or mend the URL."
        ) from error
