"""How a person or a service manager asks for the end."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Self

from config.embedded.errors import StopRequested

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSwitch:
    """Thrown by the first SIGINT, SIGTERM or SIGHUP while entered; never thrown otherwise.

    A flag rather than an exception out of a signal handler: a process is never started and then
    forgotten because the exception came in between.
    """

    def __init__(self) -> None:
        self.thrown = False

    def __enter__(self) -> Self:
        self._former = {number: signal.signal(number, self._throw) for number in ASKING}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _throw(self, _number: int, _frame: FrameType | None) -> None:
        self.thrown = True

    def pause(self, seconds: float) -> None:
        """Sleep, unless the end was asked for.

        Raises:
            StopRequested: It was, before or meanwhile.
        """
        if not self.thrown:
            time.sleep(seconds)
        if self.thrown:
            raise StopRequested
