"""Starts again what died, ever more slowly, and gives up on what will not live."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from config.embedded.errors import CannotRun
from config.embedded.processes import Child, Program
from config.embedded.tenancy import Tenancy

QUICK = 30.0  # seconds; whoever lived longer starts with a clean slate
DEATHS = 5  # this many quick ones in a row are the last
LONGEST_PAUSE = 8.0


def pause_after(deaths: int) -> float:
    """Seconds to wait before the next start: 0.5, 1, 2, 4, 8, 8, ..."""
    return min(0.5 * 2.0 ** (deaths - 1), LONGEST_PAUSE)


@dataclass
class Ward:
    """A program that shall run: its present process, or when there will be one."""

    child: Child
    deaths: int = 0  # quick ones in a row
    due: float | None = None  # on the monotonic clock; None while the process runs


class Keeper:
    """Keeps programs running. Call ``look`` often."""

    def __init__(self, tenancy: Tenancy, say: Callable[[str], None]) -> None:
        self._tenancy = tenancy
        self._say = say
        self._wards: list[Ward] = []

    def keep(self, child: Child) -> None:
        """Keep the program of ``child`` running from now on."""
        self._wards.append(Ward(child))

    def start(self, program: Program) -> Child:
        """Start ``program`` and keep it running."""
        child = self._tenancy.start(program)
        self.keep(child)
        return child

    def look(self) -> None:
        """Notice deaths, and start again what is due.

        Raises:
            CannotRun: A program died too often too soon.
        """
        now = time.monotonic()
        for ward in self._wards:
            if ward.due is None and not ward.child.running:
                self._mourn(ward, now)
            elif ward.due is not None and ward.due <= now:
                ward.child, ward.due = self._tenancy.start(ward.child.program), None

    def _mourn(self, ward: Ward, now: float) -> None:
        lived = now - ward.child.started
        ward.deaths = ward.deaths + 1 if lived < QUICK else 1
        obituary = ward.child.obituary()
        self._tenancy.bury(ward.child)
        if ward.deaths >= DEATHS:
            raise CannotRun(f"{obituary}\nThat was {DEATHS} times in a row: giving up.")
        pause = pause_after(ward.deaths)
        ward.due = now + pause
        self._say(f"{obituary}\nIt starts again in {pause:g} s.")
