"""A home and a database in which nothing has happened but the migrations, made once a run.

Migrating takes seconds, and a run starts some twenty products: each begins as a copy of these.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from config import embedded

SHARED = "ASSAY_TEST_SHARED"  # a folder of this run's, which its processes share
ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def shared() -> Iterator[None]:
    """Let this process and those it starts share what is made here."""
    with tempfile.TemporaryDirectory(prefix="assay-migrated-", ignore_cleanup_errors=True) as place:
        os.environ[SHARED] = place
        try:
            yield
        finally:
            del os.environ[SHARED]


def copy_home(to: Path) -> None:
    """Make ``to`` a home with servers of its own, which are not running."""
    to.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", f"{home()}/.", str(to)], check=True)


def home() -> Path:
    """The home that others are copied from; the first call is the main thread's."""
    place = _place() / "home"
    with _once("home") as first:
        if first:
            with embedded.servers(place, durable=False) as started:
                _migrate(
                    {
                        "ASSAY_HOME": str(place),
                        "DATABASE_URL": started.database_url,
                        "ASSAY_OWNER_DATABASE_URL": started.owner_database_url,
                        "REDIS_URL": started.redis_url,
                    }
                )
    return place


def make_template(environment: Mapping[str, str], make: Callable[[], None]) -> None:
    """Migrate the database that others on the same server are copied from.

    Args:
        environment: What a product would be told to find it.
        make: Makes it, empty.
    """
    with _once("template") as first:
        if first:
            make()
            _migrate({"ASSAY_HOME": str(_place()), **environment})


def _migrate(environment: Mapping[str, str]) -> None:
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0"],
        cwd=ROOT,
        env=inherited | dict(environment),
        check=True,
    )


@contextmanager
def _once(name: str) -> Iterator[bool]:
    """Whether the caller is the first of all processes; the others wait until it has finished."""
    done = _place() / f"{name}.done"
    with (_place() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()


def _place() -> Path:
    return Path(os.environ[SHARED])
