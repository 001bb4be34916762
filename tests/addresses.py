"""Databases and brokers for one product each, on servers that the run was given."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, replace
from functools import cache

import psycopg
import redis
from psycopg import sql

SUPERUSER_URL, BROKER_URL = "ASSAY_TEST_SUPERUSER_URL", "ASSAY_TEST_REDIS_URL"
APPLICATION, MIGRATOR = "assay_app", "assay_migrator"
PASSWORDS = {APPLICATION: "application", MIGRATOR: "migrator"}
TEMPLATE = "assay_test_migrated"
EACH = 32  # brokers of one pytest process; the server has 128
_numbers = itertools.count()


def given() -> bool:
    """Whether this run was given servers (tests.external), instead of bringing its own."""
    return SUPERUSER_URL in os.environ


@dataclass(frozen=True)
class Addresses:
    """Where one product finds its database and its broker."""

    superuser: str
    database: str
    redis: str

    def url(self, role: str) -> str:
        """The database, as a role."""
        place = self.superuser.rpartition("@")[2].partition("/")[0]
        return f"postgresql://{role}:{PASSWORDS[role]}@{place}/{self.database}"

    @property
    def environment(self) -> dict[str, str]:
        """What the product needs to be told."""
        return {
            "DATABASE_URL": self.url(APPLICATION),
            "ASSAY_OWNER_DATABASE_URL": self.url(MIGRATOR),
            "REDIS_URL": self.redis,
        }

    def make(self) -> None:
        """Make roles and a migrated database, and empty the broker."""
        # Not above: the test settings import this module, and `config` reads the settings.
        from config.embedded import roles
        from tests import migrated

        template = replace(self, database=TEMPLATE)
        migrated.make_template(
            template.environment,
            lambda: roles.create(self.superuser, database=TEMPLATE, passwords=PASSWORDS),
        )
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            statement = sql.SQL("create database {} template {} owner {}")
            names = (self.database, TEMPLATE, roles.OWNER)
            connection.execute(statement.format(*map(sql.Identifier, names)))
        with redis.Redis.from_url(self.redis) as client:
            client.flushdb()

    def drop(self) -> None:
        """Remove the database, whoever is still connected."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            statement = sql.SQL("drop database if exists {} with (force)")
            connection.execute(statement.format(sql.Identifier(self.database)))


@cache
def of_this_process() -> Addresses:
    """The database and broker of the tests themselves."""
    return next_ones()


def next_ones() -> Addresses:
    """A database and a broker that nobody else of this run has."""
    number = next(_numbers)
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return Addresses(
        superuser=os.environ[SUPERUSER_URL],
        database=f"assay_test_{os.getpid()}_{number}",
        redis=f"{os.environ[BROKER_URL]}/{worker % 4 * EACH + number % EACH}",
    )
