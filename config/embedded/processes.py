"""One process that we start, watch and end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import IO

from config.embedded.locations import ROOT

LAUNCH = Path(__file__).with_name("launch.py")
LOG_LIMIT = 5 * 1024**2  # bytes; a larger log is put aside when its process starts
LAST_WORDS = 4000  # bytes


class Identity(StrEnum):
    """As whom a process runs; launch.py knows how."""

    SELF = "self"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


class Tier(IntEnum):
    """What stands on what: the highest tier ends first."""

    DATABASE = 0
    BROKER = 1
    APPLICATION = 2


@dataclass(frozen=True)
class Program:
    """What is to run, and how it is asked to end."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]  # all of it
    tier: Tier = Tier.APPLICATION
    stop_signal: signal.Signals = signal.SIGTERM
    identity: Identity = Identity.SELF

    def launched_by(self, parent: int) -> list[str]:
        """The command line that starts it as a child of ``parent`` that dies with it."""
        launcher = [sys.executable, "-I", "-S", str(LAUNCH)]
        return [
            *launcher, str(parent), str(int(self.stop_signal)), self.identity, *self.command
        ]  # fmt: skip


class Child:
    """A running program. It leads its own session, so a Ctrl-C in the terminal does not reach it.

    On Linux it dies with the *thread* that made it: make it in the main thread.
    """

    def __init__(
        self, program: Program, *, log: Path, keep_open: int, capture: bool = False
    ) -> None:
        """Start ``program``.

        Args:
            log: Gets what the program says.
            keep_open: A file descriptor that the program and all its children inherit.
            capture: Leave the standard output to be read from ``output``.
        """
        self.program = program
        self.started = time.monotonic()
        self._log = log
        with open_log(log) as file:
            self._log_start = file.tell()
            self._process = subprocess.Popen(
                program.launched_by(os.getpid()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if capture else file,
                stderr=file,
                cwd=ROOT,
                env=dict(program.environment),
                start_new_session=True,
                pass_fds=(keep_open,),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> str:
        """How it ended, in words."""
        code = self._process.returncode
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    @property
    def succeeded(self) -> bool:
        return self._process.returncode == 0

    @property
    def output(self) -> IO[bytes]:
        """The captured standard output."""
        assert self._process.stdout is not None
        return self._process.stdout

    def ask_to_end(self) -> None:
        if self.running:
            self._process.send_signal(self.program.stop_signal)

    def end_leftovers(self) -> None:
        """SIGKILL to the whole group: to itself, or to what a dead leader left behind."""
        # Nobody may be left, or only a number that has become somebody else's.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def last_words(self, lines: int = 4) -> str:
        """The end of what it has written to its log since it started."""
        with open(self._log, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, end - LAST_WORDS))
            text = file.read().decode(errors="replace")
        return "\n".join(text.strip().splitlines()[-lines:])

    def obituary(self) -> str:
        """How it ended, where to read about it, and its last words."""
        sentence = f"{self.program.name} ended with {self.status}; its log is {self._log}"
        return f"{sentence}\n{words}" if (words := self.last_words()) else sentence


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; a large one becomes ``<name>.1`` first."""
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(path.name + ".1"))
    return open(path, "ab")
