"""A whole Assay under test: `manage.py up` as a process of its own."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from config.embedded.locations import ROOT
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
