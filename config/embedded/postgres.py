"""The embedded PostgreSQL: made once, started with settings that live here and not in its files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

from config.embedded import identities, roles
from config.embedded.errors import CannotRun
from config.embedded.locations import POSTGRES_MAJOR, POSTGRES_PORT, Home, postgres_binary
from config.embedded.processes import Child, Identity, Program, Tier
from config.embedded.tenancy import Tenancy

SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": "",  # the socket alone, which only its owner may open
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",  # costs more than it saves on short queries
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
# For tests: what was committed survives the death of the server, but not of the machine.
DISPOSABLE = {"fsync": "off", "full_page_writes": "off"}
# Its own, so that neither the caller's locale nor a PGPORT changes what it does.
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
RECOVERY_MAY_TAKE = 120.0  # seconds, after a crash with much to replay


def start(tenancy: Tenancy, *, durable: bool = True) -> Child:
    """Start PostgreSQL, made where missing, with Assay's roles and database.

    Raises:
        CannotRun: The data directory belongs to another major version or another server, or
            PostgreSQL said why it cannot.
    """
    home = tenancy.home
    identity = identities.settle(home)
    if home.postgres.exists():
        check_version(home)
        clear_stale_pids(home)
    else:
        _make_cluster(tenancy, identity)
    child = tenancy.start(_server(home, identity, durable=durable))
    wait(tenancy, child)
    roles.create(home.database_url(SUPERUSER, "postgres"), database="assay")
    return child


def wait(tenancy: Tenancy, child: Child) -> None:
    """Wait until it answers."""
    url = tenancy.home.database_url(SUPERUSER, "postgres")
    tenancy.wait_until(lambda: answers(url), child, seconds=RECOVERY_MAY_TAKE)


def answers(url: str) -> bool:
    """Whether a connection can be made now."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def check_version(home: Home) -> None:
    """Refuse a data directory that this PostgreSQL would not understand."""
    file = home.postgres / "PG_VERSION"
    if not file.exists():
        raise CannotRun(
            f"{home.postgres} is not a database: move it away, or set ASSAY_HOME to a new folder."
        )
    found = file.read_text().strip()
    if found != str(POSTGRES_MAJOR):
        raise CannotRun(
            f"The database in {home.postgres} was made by PostgreSQL {found}, and this is "
            f"PostgreSQL {POSTGRES_MAJOR}: dump it with its own version (pg_dumpall) and restore "
            "the dump here, or set ASSAY_HOME to a new folder."
        )


def clear_stale_pids(home: Home) -> None:
    """Remove what a killed server left behind, even where its number was given to another.

    Ours are all gone, since the home is ours alone; one started by hand would still be there.

    Raises:
        CannotRun: It is.
    """
    file = home.postgres / "postmaster.pid"
    pid = file.read_text().partition("\n")[0] if file.exists() else ""
    if pid and str(home.postgres) in _command_line(pid):
        raise CannotRun(
            f"A PostgreSQL that Assay did not start (process {pid}) uses {home.postgres}: stop it."
        )
    for stale in (file, home.postgres_socket.with_name(home.postgres_socket.name + ".lock")):
        stale.unlink(missing_ok=True)


def _command_line(pid: str) -> str:
    """The command line of a process, empty where there is none."""
    if sys.platform == "linux":
        try:
            return Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except FileNotFoundError:
            return ""
    command = ["ps", "-ww", "-o", "command=", "-p", pid]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _make_cluster(tenancy: Tenancy, identity: Identity) -> None:
    """Make the data directory beside its place, so that one half made is never used."""
    home = tenancy.home
    folder = home.path / "postgres.new"
    shutil.rmtree(folder, ignore_errors=True)
    identities.make_folder(folder, identity)
    command = (
        str(postgres_binary("initdb")),
        *("-D", str(folder), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
        # The server's own locale: sorts and folds alike on every machine.
        *("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    )
    program = Program("initdb", command, ENVIRONMENT, Tier.DATABASE, signal.SIGKILL, identity)
    tenancy.finish(program, seconds=120)
    folder.rename(home.postgres)


def _server(home: Home, identity: Identity, *, durable: bool) -> Program:
    settings = {**SETTINGS, "unix_socket_directories": str(home.run)}
    if not durable:
        settings |= DISPOSABLE
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = (
        str(postgres_binary("postgres")), "-D", str(home.postgres), "-p", str(POSTGRES_PORT), *options
    )  # fmt: skip
    # SIGINT is a fast shutdown: it ends the sessions rather than wait for them.
    return Program("postgres", command, ENVIRONMENT, Tier.DATABASE, signal.SIGINT, identity)
