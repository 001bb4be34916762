"""Starts everything in order, and says each thing on a line of its own."""

from __future__ import annotations

import http.client
import os
import secrets
import shutil
import time
from collections.abc import Callable

from config import env
from config.embedded import given, postgres, roles, schema, valkey
from config.embedded.keeper import Keeper
from config.embedded.locations import POSTGRES_MAJOR, Home
from config.embedded.programs import Addresses, Programs, external_database
from config.embedded.tenancy import Tenancy

MIGRATIONS_MAY_TAKE = 600.0  # seconds
PAGE_MAY_TAKE = 60.0
PAGES = {
    "ML Models": "/models/",
    "Admin": "/admin/",
    "API": "/api/model-registry/models",
}


class Startup:
    """One start of all of Assay; what it started is in the keeper's hands."""

    def __init__(
        self, tenancy: Tenancy, keeper: Keeper, port: int, say: Callable[[str], None]
    ) -> None:
        self._tenancy = tenancy
        self._keeper = keeper
        self._port = port
        self._say = say
        self._began = self._last = time.monotonic()

    def run(self) -> None:
        """Start all and return when the page answers.

        Raises:
            CannotRun: Something did not start.
            StopRequested: The end was asked for meanwhile.
        """
        home = self._tenancy.home
        self._say(f"Assay starts from {home.path}")
        keep_secret_key(home)
        programs = Programs(home, self._port, Addresses(*self._database(), self._broker()))
        if not schema.is_current(self._owner_url(programs.addresses)):
            self._tenancy.finish(programs.migrate, seconds=MIGRATIONS_MAY_TAKE)
        self._line("schema", "up to date")
        forget_counts(home)
        web = self._keeper.start(programs.web)
        background = programs.background
        for program in background.values():
            self._keeper.start(program)
        self._tenancy.wait_until(lambda: answers(self._port), web, seconds=PAGE_MAY_TAKE)
        self._line("web", f"http://localhost:{self._port}")
        for task, program in background.items():
            self._line(program.name, task)
        # Last, so that no failure comes between making the password and showing it.
        self._welcome(self._tenancy.finish(programs.first_admin, seconds=PAGE_MAY_TAKE))

    def _database(self) -> tuple[str, str]:
        """Start PostgreSQL unless one is given; its URL for the application and the owner."""
        if urls := external_database(os.environ):
            # Their passwords may be in files, which the children read for themselves.
            version = given.check_database(env.database_url(), "DATABASE_URL")
            given.check_database(env.owner_database_url(), "ASSAY_OWNER_DATABASE_URL")
            self._line("database", f"the one DATABASE_URL names, {version}")
            return urls
        self._keeper.keep(postgres.start(self._tenancy))
        self._line("database", f"PostgreSQL {POSTGRES_MAJOR}")
        home = self._tenancy.home
        return home.database_url(roles.APPLICATION), home.database_url(roles.MIGRATOR)

    def _owner_url(self, addresses: Addresses) -> str:
        """The owner's URL with its password, which may be in a file where a database is given."""
        given_one = external_database(os.environ) is not None
        return env.owner_database_url() if given_one else addresses.owner_database_url

    def _broker(self) -> str:
        """Start Valkey unless a broker is given; its URL."""
        if url := os.environ.get("REDIS_URL"):
            given.check_broker(env.broker_url())
            self._line("broker", "the one REDIS_URL names")
            return url
        self._keeper.keep(valkey.start(self._tenancy))
        self._line("broker", "Valkey")
        return self._tenancy.home.redis_url

    def _line(self, name: str, what: str) -> None:
        now = time.monotonic()
        self._say(f"  {name:9} {what:38} {now - self._last:4.1f} s")
        self._last = now

    def _welcome(self, password: str) -> None:
        """The addresses and, once in the life of a home, the first password."""
        self._say(f"Assay is up after {time.monotonic() - self._began:.1f} s:")
        for name, path in PAGES.items():
            self._say(f"  {name:9} http://localhost:{self._port}{path}")
        if password:
            self._say(f"Sign in as the first reviewer: user admin, password {password}")
            self._say("The password is shown this once; `make password` sets a new one.")
        self._say(f"Logs are in {self._tenancy.home.log}. Ctrl-C stops everything.")


def forget_counts(home: Home) -> None:
    """Begin the metrics' counts at zero: those of an earlier start belong to other processes."""
    shutil.rmtree(home.counts, ignore_errors=True)
    home.counts.mkdir(parents=True)


def keep_secret_key(home: Home) -> None:
    """Make the key that signs sessions, once in the life of a home, for its owner alone."""
    if not home.secret_key.exists():
        draft = home.secret_key.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        draft.replace(home.secret_key)


def answers(port: int) -> bool:
    """Whether the web server answers at ``port`` that it lives."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
