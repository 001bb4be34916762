"""When beat, broker and the worker of each queue last worked together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache

import redis
from django.conf import settings

QUEUES = (
    "control",
    "outside",
    "webhooks",
)  # without their workers nothing heals and nobody hears of it
LATE = 30.0  # seconds; six ticks


def beat(queue: str) -> None:
    """Note that a worker of ``queue`` took a tick."""
    _client().set(key(queue), f"{time.time():.3f}")


def lags() -> dict[str, float | None]:
    """Seconds since each queue's last tick was worked on; None where there never was one.

    Raises:
        redis.RedisError: The broker does not answer.
    """
    noted = zip(QUEUES, _client().mget([key(queue) for queue in QUEUES]), strict=True)
    return {queue: None if at is None else max(0.0, time.time() - float(at)) for queue, at in noted}


def is_late(lag: float | None) -> bool:
    """Whether that many seconds since a tick are too many."""
    return lag is None or lag > LATE


def waiting(queues: Sequence[str]) -> dict[str, int]:
    """How many tasks wait in each queue; Celery keeps a queue as a list of its name.

    Raises:
        redis.RedisError: The broker does not answer.
    """
    asked = _client().pipeline(transaction=False)
    for queue in queues:
        asked.llen(queue)
    return dict(zip(queues, asked.execute(), strict=True))


def key(queue: str) -> str:
    """Where the broker's server keeps the time of a queue's last tick."""
    return f"assay:beat:{queue}"


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.ASSAY_REDIS_URL, socket_timeout=2, socket_connect_timeout=2, decode_responses=True
    )
