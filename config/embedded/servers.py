"""PostgreSQL and Valkey together, for as long as a block runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.embedded import postgres, roles, valkey
from config.embedded.errors import CannotRun
from config.embedded.locations import Home
from config.embedded.processes import Child
from config.embedded.tenancy import Tenancy, occupy

RESTART_MAY_TAKE = 10.0  # seconds


@dataclass
class Servers:
    """The two servers of one home, running, and how to reach them."""

    tenancy: Tenancy
    postgres: Child
    valkey: Child

    @property
    def database_url(self) -> str:
        """As the application, which owns nothing."""
        return self.tenancy.home.database_url(roles.APPLICATION)

    @property
    def owner_database_url(self) -> str:
        """As the role that runs migrations."""
        return self.tenancy.home.database_url(roles.MIGRATOR)

    @property
    def superuser_database_url(self) -> str:
        """As the superuser of the whole cluster, which the product never is."""
        return self.tenancy.home.database_url(postgres.SUPERUSER)

    @property
    def redis_url(self) -> str:
        """The broker as Celery spells it."""
        return self.tenancy.home.redis_url

    def restart_postgres(self) -> None:
        """Start PostgreSQL again after it was killed, and wait until it answers.

        Raises:
            CannotRun: It does not come up again.
        """
        deadline = time.monotonic() + RESTART_MAY_TAKE
        while True:
            self.tenancy.bury(self.postgres)
            self.postgres = self.tenancy.start(self.postgres.program)
            try:
                return postgres.wait(self.tenancy, self.postgres)
            except CannotRun:
                # Sessions of the dead server need a moment to notice, and block a new one.
                if time.monotonic() > deadline:
                    raise


@contextmanager
def servers(home: Path, *, durable: bool = True) -> Iterator[Servers]:
    """PostgreSQL and Valkey under ``home``, with roles and database, until the block ends.

    They also end with this process, however it ends. Enter from the main thread.

    Args:
        durable: False for tests: faster; what was committed survives the death of a server, but
            not of the machine, and the broker forgets all when it ends.

    Raises:
        CannotRun: The sentence says why, and the remedy.
    """
    with occupy(Home(home.absolute())) as tenancy:
        yield Servers(
            tenancy,
            postgres.start(tenancy, durable=durable),
            valkey.start(tenancy, durable=durable),
        )
