"""How workers and beat look for a broker that is away: as often after an hour as at first."""

from __future__ import annotations

from typing import Any, Self

import kombu
from celery.app import amqp

PAUSE = 2.0  # seconds between two looks


class Connection(kombu.Connection):
    """Tries every PAUSE.

    Kombu's own pauses grow to 30 s, and Celery has no setting for them: a worker would find a
    broker that was away for half a minute up to 12 s after its return.
    """

    def ensure_connection(self, *args: Any, **options: Any) -> Self:
        """See kombu; what the caller says of the pauses stands."""
        pauses = {"interval_start": PAUSE, "interval_step": 0.0, "interval_max": PAUSE}
        super().ensure_connection(*args, **{**pauses, **options})
        return self


class AMQP(amqp.AMQP):
    """Celery's, with these connections."""

    Connection = Connection
