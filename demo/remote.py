"""A serving process as the storyteller sees it: orders go in, its status comes out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from subprocess import Popen
from typing import IO

from demo import installation
from demo.lines import Order, Status

LOOK_EVERY = 0.1  # seconds


class ServingEnded(Exception):
    """The serving process is gone; the message is its last words."""


class NotInTime(Exception):
    """Something waited for has not happened."""


class Serving:
    """A running serving process."""

    def __init__(self, process: Popen[str], log: Path) -> None:
        self._process = process
        self._log = log
        self._status: Status | None = None
        self._reader = threading.Thread(target=self._read, name="demo-status", daemon=True)
        self._reader.start()

    def order(self, until: datetime, per_second: float) -> None:
        """Have it serve up to ``until`` in data time.

        Raises:
            ServingEnded: It is gone.
        """
        pipe = _pipe(self._process.stdin)
        try:
            pipe.write(Order(until, per_second).line() + "\n")
            pipe.flush()
        except BrokenPipeError as error:
            raise ServingEnded(self._last_words()) from error

    @property
    def status(self) -> Status | None:
        """What it last told; None before it told anything."""
        return self._status

    def wait_until(
        self,
        reached: Callable[[Status], bool],
        *,
        seconds: float,
        meanwhile: Callable[[Status], None] = lambda status: None,
    ) -> Status:
        """Wait for a status that ``reached`` accepts; ``meanwhile`` sees each new one.

        Raises:
            ServingEnded: It ended before.
            NotInTime: It took longer than ``seconds``.
        """
        deadline = time.monotonic() + seconds
        seen: Status | None = None
        while time.monotonic() < deadline:
            status = self._status
            if status is not None and status is not seen:
                meanwhile(status)
                if reached(status):
                    return status
                seen = status
            if self._process.poll() is not None:
                raise ServingEnded(self._last_words())
            time.sleep(LOOK_EVERY)
        raise NotInTime(f"The serving process did not get there in {seconds:.0f} s: {self._status}")

    def _read(self) -> None:
        with suppress(ValueError):  # the pipe is closed once the process has been stopped
            for line in _pipe(self._process.stdout):
                self._status = Status.read(line)

    def _last_words(self) -> str:
        words = " ".join(self._log.read_text(errors="replace").splitlines()[-3:])
        return f"The serving process has ended; its log is {self._log}: {words}"


@contextmanager
def serving(
    arguments: Sequence[str], *, environment: dict[str, str], log: Path
) -> Iterator[Serving]:
    """Start a serving process; at the end it is stopped.

    Args:
        arguments: Those of `demo.serving`.
        log: Gets what it says to people.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        process = installation.start(
            ["-m", "demo.serving", *arguments], environment=environment, errors=errors
        )
        try:
            yield Serving(process, log)
        finally:
            installation.stop(process)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
