"""An Assay of the story's own: the supervisor as a child process, and its command line."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
LAUNCH = ROOT / "config" / "embedded" / "launch.py"
UP = "Assay is up"  # how the supervisor's line begins when all runs
STARTS_WITHIN = 300.0  # seconds; a first start makes the database
STOPS_WITHIN = 15.0
ELSEWHERE = (  # what would lead to another Assay
    *("DATABASE_URL", "ASSAY_OWNER_DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"),
    *("ASSAY_URL", "ASSAY_TOKEN", "ASSAY_ACTOR"),
)


class CannotStart(Exception):
    """Assay did not start; the message is what it said."""


@dataclass(frozen=True)
class Installation:
    """A running Assay."""

    home: Path
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What its commands and its clients need to find it, and nothing of another Assay."""
        inherited = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
        return inherited | {"ASSAY_HOME": str(self.home), "ASSAY_PORT": str(self.port)}

    def run(self, *arguments: str) -> str:
        """What a Python program prints that runs inside this installation.

        Raises:
            CannotStart: It failed; the message is its last words.
        """
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CannotStart(f"{' '.join(arguments[:2])}: {_last_words(done.stderr)}")
        return done.stdout.strip()


@contextmanager
def running(home: Path, port: int) -> Iterator[Installation]:
    """Start an Assay in ``home``; at the end it is stopped, its state stays.

    Raises:
        CannotStart: It does not start.
    """
    installation = Installation(home.absolute(), port)
    process = start(
        ["manage.py", "up", "--home", str(installation.home), "--port", str(port)],
        environment=installation.environment,
    )
    try:
        _await_start(process)
        yield installation
    finally:
        stop(process)


def start(
    arguments: Sequence[str], *, environment: dict[str, str], errors: IO[str] | None = None
) -> subprocess.Popen[str]:
    """Start a Python program that ends with us, out of reach of a Ctrl-C in the terminal.

    On Linux it ends with the *thread* that started it: start it in the main thread.

    Args:
        errors: Gets its standard error; by default that goes where its output goes.
    """
    launcher = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), str(int(signal.SIGTERM))]
    return subprocess.Popen(
        [*launcher, "self", sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors or subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[str]) -> None:
    """Ask a process to end, and wait until it has."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            if pipe:
                pipe.close()


def free_port(wanted: int) -> int:
    """``wanted`` if nobody listens there, else one the system gives."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise CannotStart("The system has no free port.")


def _await_start(process: subprocess.Popen[str]) -> None:
    """Wait for the supervisor's word; afterwards its output is read and dropped."""
    assert process.stdout is not None
    timer = threading.Timer(STARTS_WITHIN, process.terminate)
    timer.start()
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line.rstrip())
            if line.startswith(UP):
                break
        else:
            process.wait()
            raise CannotStart("\n".join(said[-6:]) or "The supervisor ended without a word.")
    finally:
        timer.cancel()
    threading.Thread(target=_drain, args=(process,), name="demo-drain", daemon=True).start()


def _drain(process: subprocess.Popen[str]) -> None:
    """Keep the pipe empty: a full one would stop the supervisor."""
    with suppress(ValueError, OSError):
        assert process.stdout is not None
        for _ in process.stdout:
            pass


def _last_words(text: str) -> str:
    return " ".join(text.strip().splitlines()[-3:]) or "it failed without a word"
