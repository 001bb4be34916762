"""PostgreSQL and Redis as a user brings them: over TCP, with passwords, made for one run.

python -m tests.external COMMAND... runs a command beside them. They are Debian's own programs, in a
folder of this run's, and are gone when it ends; nothing else of this machine is touched.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import redis

from tests.addresses import BROKER_URL, SUPERUSER_URL
from tests.running import free_port

PROGRAMS = Path("/usr/lib/postgresql")  # where Debian keeps each version's
OLDEST = 15
REDIS_DATABASES = 128  # one for each product that a run starts
STARTS_WITHIN = 30.0  # seconds


def run(command: list[str]) -> int:
    """The exit code of ``command``, run beside servers of its own."""
    with tempfile.TemporaryDirectory(prefix="assay-ext-") as place:
        os.chmod(place, 0o755)  # the database runs as somebody else
        with _postgres(Path(place)) as database, _redis(Path(place)) as broker:
            addresses = {SUPERUSER_URL: database, BROKER_URL: broker}
            # Importing `config` here has named the settings; the command names its own.
            inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
            return subprocess.run(command, env=inherited | addresses, check=False).returncode


def postgres_programs() -> Path:
    """The oldest PostgreSQL here that Assay supports.

    Raises:
        SystemExit: There is none.
    """
    versions = sorted(int(p.name) for p in PROGRAMS.glob("*") if p.name.isdigit())
    for version in versions:
        if version >= OLDEST and (PROGRAMS / str(version) / "bin" / "initdb").exists():
            return PROGRAMS / str(version) / "bin"
    raise SystemExit("There is no PostgreSQL of this system's: apt-get install postgresql")


@contextlib.contextmanager
def _postgres(place: Path) -> Iterator[str]:
    programs, data, port, password = postgres_programs(), place / "pg", free_port(), _password()
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    data.mkdir(mode=0o700)
    (place / "password").write_text(password)
    (place / "password").chmod(0o644)
    if os.geteuid() == 0:
        shutil.chown(data, user)
    options = [
        "-D",
        str(data),
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "-A",
        "scram-sha-256",
    ]
    initdb = [str(programs / "initdb"), *options, f"--pwfile={place / 'password'}"]
    subprocess.run(initdb, user=user, check=True, stdout=subprocess.DEVNULL, cwd=place)
    settings = {
        "port": port,
        "fsync": "off",
        "max_connections": 400,
        "unix_socket_directories": data,
    }
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", *words]
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    with _running(command, user, place / "postgres.log", lambda: _answers(url)):
        yield url


@contextlib.contextmanager
def _redis(place: Path) -> Iterator[str]:
    port, password = free_port(), _password()
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("There is no Redis of this system's: apt-get install redis-server")
    options = {"--port": port, "--bind": "127.0.0.1", "--databases": REDIS_DATABASES, "--save": ""}
    words = [str(word) for option in options.items() for word in option]
    command = [program, *words, "--requirepass", password, "--dir", str(place)]
    url = f"redis://:{password}@127.0.0.1:{port}"
    with _running(command, None, place / "redis.log", lambda: _pings(url)):
        yield url


@contextlib.contextmanager
def _running(
    command: list[str], user: str | None, log: Path, ready: Callable[[], bool]
) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, user=user, stdout=out, stderr=out, cwd=log.parent)
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(STARTS_WITHIN)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _pings(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def _password() -> str:
    return secrets.token_hex(12)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
