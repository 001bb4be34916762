"""Ends every process of a supervisor that died without doing so itself.

Run by path: ``python -I -S watchdog.py`` with a pipe from the supervisor as standard input. Lines
are ``watch PID SIGNAL`` (the process leads a group, and SIGNAL asks it to end) and ``forget PID``.
End of file means that the supervisor is gone, even by SIGKILL: each group gets its signal, and
SIGKILL where that does not help. Death signals do the same faster on Linux, but they reach only
children, not the children's own workers, and other systems have none.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE = 6.0  # seconds between asking and SIGKILL


def watch(lines: Iterable[str]) -> dict[int, int]:
    """Follow the supervisor to its end; what it left behind, by process group."""
    groups: dict[int, int] = {}
    for line in lines:
        verb, pid, *rest = line.split()
        if verb == "watch":
            groups[int(pid)] = int(rest[0])
        else:
            groups.pop(int(pid), None)
    return groups


def end(groups: dict[int, int]) -> None:
    """Ask each group to end, then make it."""
    asked = [group for group, wish in groups.items() if _send(group, wish)]
    deadline = time.monotonic() + GRACE
    while asked and time.monotonic() < deadline:
        time.sleep(0.1)
        asked = [group for group in asked if _send(group, 0)]
    for group in asked:
        _send(group, signal.SIGKILL)


def _send(group: int, number: int) -> bool:
    """Whether the group was there to get the signal."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's now: not ours to end
        return False
    return True


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end(watch(sys.stdin))


if __name__ == "__main__":
    main()
