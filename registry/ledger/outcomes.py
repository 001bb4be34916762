"""What a channel may say of a delivery beside "done": try later, or never again."""

from __future__ import annotations

from datetime import timedelta


class TryLater(Exception):
    """It did not arrive; it counts as a failure and is tried again after ``pause``."""

    def __init__(self, message: str, pause: timedelta) -> None:
        super().__init__(message)
        self.pause = pause


class GivenUp(Exception):
    """It will never arrive; it is parked at once."""
