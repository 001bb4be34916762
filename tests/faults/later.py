"""The product's settings at a later time: its one clock is ahead of this machine's."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from config.settings import *
from registry import clock

AHEAD = "ASSAY_TEST_AHEAD"  # seconds


def environment(ahead: timedelta) -> dict[str, str]:
    """What a product is started with to be so much ahead."""
    return {"DJANGO_SETTINGS_MODULE": __name__, AHEAD: str(ahead.total_seconds())}


if AHEAD in os.environ:
    _ahead = timedelta(seconds=float(os.environ[AHEAD]))
    _telling = clock.telling(lambda: datetime.now(UTC) + _ahead)
    _telling.__enter__()
