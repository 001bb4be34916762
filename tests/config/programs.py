"""Small programs for the tests of what starts, watches and ends programs."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config.embedded.processes import Identity, Program, Tier

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
# Starts a child of its own in its process group, tells its number, and waits.
PARENT = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"


def program(
    name: str,
    *command: str,
    tier: Tier = Tier.APPLICATION,
    stop_signal: signal.Signals = signal.SIGTERM,
    identity: Identity = Identity.SELF,
) -> Program:
    """A program from a command line found on the usual path."""
    return Program(
        name, ("/usr/bin/env", *command), {"PATH": os.defpath}, tier, stop_signal, identity
    )


def python(name: str, code: str, tier: Tier = Tier.APPLICATION) -> Program:
    """A program from a line of Python."""
    return Program(name, (sys.executable, "-I", "-S", "-c", code), {}, tier)


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def within(seconds: float, condition: Callable[[], object]) -> bool:
    """Whether ``condition`` becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
