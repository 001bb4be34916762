"""A whole Assay under test: `manage.py up` as a process of its own."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from select import select
from typing import Self

import psycopg

from config.embedded.locations import ROOT, Home
from tests.config.programs import alive, within
from tests.running import free_port

# What the test-suite's own environment must not decide for an Assay under test.
OURS = {
    "ASSAY_HOME",
    "ASSAY_OWNER_DATABASE_URL",
    "ASSAY_PORT",
    "DATABASE_URL",
    "DJANGO_SETTINGS_MODULE",
    "REDIS_URL",
}
LAST_LINE = "Ctrl-C stops everything."
START_MAY_TAKE = 60.0  # seconds, as promised
# It promises more than it sends, so whoever reads it waits for the rest.
SLOW_UPLOAD = (
    b"POST /api/model-registry/models HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"
)
SLOW_UPLOADS = 24  # fewer than one web process has threads, should all meet there


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a person who has set nothing but ``more``."""
    return {name: value for name, value in os.environ.items() if name not in OURS} | more


class Supervised:
    """An Assay that was started, and what it said."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, port: int) -> None:
        self.process = process
        self.home = home
        self.port = port

    @property
    def said(self) -> str:
        return (self.home / "said").read_text()

    @property
    def password(self) -> str:
        """The first password, as shown."""
        return self.said.partition("user admin, password ")[2].split()[0]

    def wait(self, words: str = LAST_LINE) -> Self:
        """Until it says ``words``, by default that it is up."""
        said = within(START_MAY_TAKE, lambda: words in self.said or self.process.poll())
        assert said, self.said
        assert self.process.poll() is None, self.said
        return self

    def status(self, path: str) -> int:
        """The HTTP status of a page; 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers={"Host": "localhost"})
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def child(self, name: str) -> int:
        """The process number of a program whose command line has ``name``; 0 where none is."""
        for pid in children(self.process.pid):
            if name in command_line(pid):
                return pid
        return 0


@contextmanager
def supervised(
    home: Path, *command: str, environment: Mapping[str, str] | None = None
) -> Iterator[Supervised]:
    """Start ``manage.py up``, or ``command``, from ``home``; stopped at the end of the block."""
    port = free_port()
    with open(home / "said", "wb") as said:
        process = subprocess.Popen(
            command or (sys.executable, "manage.py", "up"),
            cwd=ROOT,
            env=clean_environment(ASSAY_HOME=str(home), ASSAY_PORT=str(port))
            | dict(environment or {}),
            stdout=said,
            stderr=said,
        )
    try:
        yield Supervised(process, home, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def children(pid: int) -> list[int]:
    """The processes that ``pid`` started and that still run."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def descendants(pid: int) -> list[int]:
    """All processes below ``pid``."""
    below = children(pid)
    return below + [further for child in below for further in descendants(child)]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def all_gone(pids: list[int], *, seconds: float) -> bool:
    """Whether all processes end in time."""
    return within(seconds, lambda: not any(map(alive, pids)))


@contextmanager
def slow_uploads(assay: Supervised) -> Iterator[None]:
    """Uploads that are being read and do not go on."""
    with ExitStack() as stack:
        uploads = [
            stack.enter_context(socket.create_connection(("127.0.0.1", assay.port)))
            for _ in range(SLOW_UPLOADS)
        ]
        for upload in uploads:
            upload.sendall(SLOW_UPLOAD)
        time.sleep(1)
        assert not select(uploads, [], [], 0)[0], "the uploads were refused, not slow"
        yield


def url_of(assay: Supervised) -> str:
    """The database of an Assay that uses its own."""
    return Home(assay.home).database_url("assay_app")


def rows(url: str, statement: bytes) -> list[tuple]:
    """What a database answers."""
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def stored_password(url: str) -> str:
    """The hash of the admin's password."""
    return str(rows(url, b"SELECT password FROM auth_user WHERE username = 'admin'")[0][0])
