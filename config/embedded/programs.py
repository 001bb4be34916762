"""What runs beside the servers: migrations, web, workers and beat, as command lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from config.embedded.errors import CannotRun
from config.embedded.locations import Home
from config.embedded.processes import Program

# Measured with GETs beside slow uploads; docs/operations.md has the figures.
WEB_WORKERS = 2
WEBHOOK_THREADS = 16  # receivers that may be slow at one time
WEB_THREADS = 32  # of each worker; an upload holds one for as long as its sender takes

OWNERS = ("ASSAY_OWNER_DATABASE_", "ASSAY_SUPERUSER_DATABASE_")  # URLs, passwords, their files


@dataclass(frozen=True)
class Addresses:
    """Where the database, as either role, and the broker are reached."""

    database_url: str
    owner_database_url: str
    redis_url: str


@dataclass(frozen=True)
class Programs:
    """The programs of one installation."""

    home: Home
    port: int
    addresses: Addresses

    @property
    def environment(self) -> dict[str, str]:
        """What every process gets; none but the migrations may own anything."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(OWNERS)
        }
        return inherited | {
            "DATABASE_URL": self.addresses.database_url,
            "REDIS_URL": self.addresses.redis_url,
            "ASSAY_HOME": str(self.home.path),
            "ASSAY_PORT": str(self.port),
            "ASSAY_LOCAL_ACCESS": _local_access(inherited),
            "PYTHONUNBUFFERED": "1",  # the log of a killed process is whole
            "PYTHONUTF8": "1",  # the caller's locale decides nothing
        }

    @property
    def migrate(self) -> Program:
        owner = {name: value for name, value in os.environ.items() if name.startswith(OWNERS[0])}
        owner["ASSAY_OWNER_DATABASE_URL"] = self.addresses.owner_database_url
        command = ("manage.py", "migrate", "--database", "owner", "--no-input")
        return Program("migrate", (sys.executable, *command), self.environment | owner)

    @property
    def first_admin(self) -> Program:
        return self._program("first-admin", "manage.py", "first_admin")

    @property
    def web(self) -> Program:
        counts = self.home.counts
        web = self._program(
            *("web", "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(self.port), "--workers", str(WEB_WORKERS)),
            *("--blocking-threads", str(WEB_THREADS), "--workers-kill-timeout", "4"),
            *("--log-level", "warning", "--no-ws", "config.wsgi:application"),
        )
        return replace(
            web, environment={**web.environment, "PROMETHEUS_MULTIPROC_DIR": str(counts)}
        )

    @property
    def background(self) -> dict[str, Program]:
        """Workers and beat, by what each is there for."""
        return {
            # Never behind an evaluation, nor behind a slow receiver of mail.
            "worker for rollbacks and deliveries": self._worker("control", "control", processes=2),
            "worker for mail and handlers": self._worker("outside", "outside", processes=1),
            # Threads wait for receivers at little cost; a slow one takes one of them.
            "worker for webhooks": self._worker("webhooks", "webhooks", threads=WEBHOOK_THREADS),
            # The gpu queue too: here is no other worker for it.
            "worker for evaluations": self._worker("cpu", "cpu,gpu", processes=1),
            "the clock that wakes the workers": self._program(
                *("beat", "-m", "celery", "-A", "config", "beat", "--loglevel", "warning"),
                *("--schedule", str(self.home.beat_schedule), "--pidfile="),
            ),
        }

    def _worker(self, name: str, queues: str, *, processes: int = 0, threads: int = 0) -> Program:
        """A worker with so many processes, or with one process of so many threads."""
        pool = ("--pool", "threads" if threads else "prefork")
        return self._program(
            *(name, "-m", "celery", "-A", "config", "worker", "--loglevel", "warning", *pool),
            *("-Q", queues, "-n", f"{name}@%h", "--concurrency", str(threads or processes)),
            *("--without-gossip", "--without-mingle"),
        )

    def _program(self, name: str, *arguments: str) -> Program:
        return Program(name, (sys.executable, *arguments), self.environment)


def _local_access(environment: Mapping[str, str]) -> str:
    """Whether this machine may call without credentials.

    Not where people come by another address: to a proxy in front, everybody is this machine.
    """
    default = "0" if environment.get("ASSAY_BASE_URL") else "1"
    return environment.get("ASSAY_LOCAL_ACCESS", default)


def external_database(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """The URLs of the application's role and the owner's, where a database is given.

    Raises:
        CannotRun: Only one of the two is given.
    """
    application = environment.get("DATABASE_URL")
    owner = environment.get("ASSAY_OWNER_DATABASE_URL")
    if application and owner:
        return application, owner
    if application or owner:
        raise CannotRun(
            "DATABASE_URL and ASSAY_OWNER_DATABASE_URL go together, the application's role and "
            "the one that owns the tables: set both, or neither to use the embedded database."
        )
    return None
