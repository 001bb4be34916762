"""The sole use of a home, and every process that runs from it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from config.embedded import checks
from config.embedded.errors import CannotRun
from config.embedded.locations import Home
from config.embedded.processes import Child, Program, Tier
from config.embedded.stopping import StopSwitch

WATCHDOG = Path(__file__).with_name("watchdog.py")
POLL = 0.05  # seconds between two looks at something that is starting or stopping
LEFTOVERS_MAY_TAKE = 15.0  # seconds; the watchdog needs up to 6
# Seconds from being asked to end to SIGKILL; together below the ten in which all has stopped.
GRACE = {Tier.APPLICATION: 5.0, Tier.BROKER: 1.5, Tier.DATABASE: 2.5}


class Tenancy:
    """Starts, awaits and ends the processes of one home; two tenancies of a home exclude another.

    The lock is held by every process that was started, through a descriptor each inherits. So it
    is free exactly when the last of them is gone, and no process id is ever taken on trust.
    """

    def __init__(
        self, home: Home, switch: StopSwitch, lease: int, watchdog: subprocess.Popen[bytes]
    ) -> None:
        self.home = home
        self.switch = switch
        self.watchdog_pid = watchdog.pid
        assert watchdog.stdin is not None
        self._pipe = watchdog.stdin
        self._lease = lease
        self._children: list[Child] = []

    def start(self, program: Program, *, capture: bool = False) -> Child:
        """Start ``program``; it ends with us whatever happens to us."""
        log = self.home.log / f"{program.name}.log"
        child = Child(program, log=log, keep_open=self._lease, capture=capture)
        self._children.append(child)
        self._tell_watchdog("watch", child.pid, int(program.stop_signal))
        return child

    def wait_until(self, ready: Callable[[], bool], child: Child, *, seconds: float) -> None:
        """Wait for ``child`` to be ready.

        Raises:
            CannotRun: It ended, or took longer than ``seconds``.
            StopRequested: The end was asked for meanwhile.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if not child.running:
                raise CannotRun(child.obituary())
            if time.monotonic() > deadline:
                name, words = child.program.name, child.last_words()
                raise CannotRun(f"{name} was not ready after {seconds:.0f} s.\n{words}".strip())
            self.switch.pause(POLL)

    def finish(self, program: Program, *, seconds: float) -> str:
        """Run ``program`` to its end; the few lines it prints.

        Raises:
            CannotRun: It failed, or took longer than ``seconds``.
            StopRequested: The end was asked for meanwhile.
        """
        child = self.start(program, capture=True)
        try:
            self.wait_until(lambda: not child.running, child, seconds=seconds)
            if not child.succeeded:
                raise CannotRun(child.obituary())
            return child.output.read().decode(errors="replace").strip()
        finally:
            self.bury(child)

    def end(self) -> None:
        """End all that still runs, the highest tier first."""
        for tier in sorted(Tier, reverse=True):
            children = [child for child in self._children if child.program.tier is tier]
            for child in children:
                child.ask_to_end()
            deadline = time.monotonic() + GRACE[tier]
            while any(child.running for child in children) and time.monotonic() < deadline:
                time.sleep(POLL)
            for child in children:
                self.bury(child)

    def bury(self, child: Child) -> None:
        """End what is left of ``child`` and of its own children."""
        child.end_leftovers()
        self._children.remove(child)
        self._tell_watchdog("forget", child.pid)

    def _tell_watchdog(self, *words: object) -> None:
        # Where somebody killed the watchdog, the death signals remain.
        with contextlib.suppress(BrokenPipeError):
            self._pipe.write(f"{' '.join(map(str, words))}\n".encode())


@contextlib.contextmanager
def occupy(home: Home, *, url: str = "", switch: StopSwitch | None = None) -> Iterator[Tenancy]:
    """Take the sole use of ``home`` after checking that it can be used.

    Args:
        url: Told to whoever tries a second start.
        switch: Ends the waiting inside; without one, only exceptions do.

    Raises:
        CannotRun: The home is in use, unwritable, too deep or on a full disk.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("Processes die with the thread that starts them: use the main thread.")
    switch = switch or StopSwitch()
    checks.make_folders(home)
    checks.check_socket_paths(home)
    checks.check_space(home)
    with contextlib.ExitStack() as stack:
        _lock_supervisor(stack.enter_context(open(home.run / "supervisor.lock", "a+")), home, url)
        lease = stack.enter_context(open(home.run / "children.lock", "a"))
        _await_leftovers(lease, home, switch)
        watchdog = stack.enter_context(_watchdog(lease.fileno()))
        tenancy = Tenancy(home, switch, lease.fileno(), watchdog)
        stack.callback(tenancy.end)
        yield tenancy


def _lock_supervisor(file: IO[str], home: Home, url: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = json.loads(file.read() or "{}")
        place = " at ".join(filter(None, [f"process {holder.get('pid', '?')}", holder.get("url")]))
        raise CannotRun(
            f"The home {home.path} is already in use ({place}): use that one, stop it, or set "
            "ASSAY_HOME (and ASSAY_PORT) to another."
        ) from None
    file.truncate(0)
    json.dump({"pid": os.getpid(), "url": url}, file)
    file.flush()


def _await_leftovers(lease: IO[str], home: Home, switch: StopSwitch) -> None:
    """Wait for the processes of a supervisor that was killed; its watchdog is ending them."""
    deadline = time.monotonic() + LEFTOVERS_MAY_TAKE
    while True:
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise CannotRun(
                    f"Processes of an earlier run still use the home {home.path}: end them "
                    f"(`fuser {home.run / 'children.lock'}` names them) and start again."
                ) from None
        switch.pause(POLL)


def _watchdog(lease: int) -> subprocess.Popen[bytes]:
    """A watchdog, which ends when its standard input is closed."""
    command = [sys.executable, "-I", "-S", str(WATCHDOG)]
    return subprocess.Popen(
        command, bufsize=0, stdin=subprocess.PIPE, start_new_session=True, pass_fds=(lease,)
    )
