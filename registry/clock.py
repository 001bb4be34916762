"""What time it is: one place for all that decides or records, so that a rehearsal may tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_told: Callable[[], datetime] | None = None


def now() -> datetime:
    """The time, in UTC: this machine's, unless it is being told."""
    return datetime.now(UTC) if _told is None else _told()


@contextmanager
def telling(time: Callable[[], datetime]) -> Iterator[None]:
    """In this process it is what ``time`` says for as long as this holds. For rehearsals alone."""
    global _told
    former, _told = _told, time
    try:
        yield
    finally:
        _told = former
