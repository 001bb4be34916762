"""``python -m config.alive [QUEUE...]``: the health check of who answers no requests.

A worker is well that took one of beat's ticks lately. Without a queue it is beat that is asked for:
well, if anybody took one. Each check loads neither the apps nor Celery's command, as it runs often.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import redis

from config import heartbeats


def check(queues: Sequence[str]) -> None:
    """Return where all is well.

    Raises:
        SystemExit: It is not; the sentence says why.
    """
    unknown = sorted(set(queues) - set(heartbeats.QUEUES))
    if unknown:
        raise SystemExit(
            f"Beat ticks for {', '.join(heartbeats.QUEUES)}, not for {', '.join(unknown)}."
        )
    try:
        lags = heartbeats.lags()
    except redis.RedisError as error:
        raise SystemExit(f"The broker does not answer: {error}.") from error
    late = [queue for queue, lag in lags.items() if heartbeats.is_late(lag)]
    if silent := [queue for queue in queues if queue in late]:
        raise SystemExit(f"No worker of {' and '.join(silent)} has taken a tick lately.")
    if len(late) == len(lags):
        raise SystemExit("No tick of beat has been worked on lately.")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    check(sys.argv[1:])
