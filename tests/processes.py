"""The processes of a running product: found by their command lines, paused and killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import addresses
from tests.config.supervised import children, command_line, descendants
from tests.running import Running

needs_proc = pytest.mark.skipif(
    sys.platform != "linux", reason="looks at processes through /proc, which only Linux has"
)
own_servers = pytest.mark.skipif(
    addresses.given(), reason="kills the embedded PostgreSQL, which this run does not use"
)


def find(running: Running, words: str) -> int:
    """The process that the supervisor started with ``words`` in its command line."""
    (pid,) = (pid for pid in children(running.process.pid) if words in command_line(pid))
    return pid


def kill(running: Running, words: str) -> list[int]:
    """SIGKILL a process and all below it; their numbers."""
    top = find(running, words)
    killed = [top, *descendants(top)]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    return killed


@contextmanager
def paused(running: Running, words: str) -> Iterator[None]:
    """A process stands still as long as this holds."""
    pid = find(running, words)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
