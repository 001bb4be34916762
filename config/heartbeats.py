"""When beat, broker and control worker last worked together."""

from __future__ import annotations

import time
from functools import cache

import redis
from django.conf import settings

KEY = "assay:beat"
LATE = 30.0  # seconds; six ticks


def beat() -> None:
    """Note that a tick arrived."""
    _client().set(KEY, f"{time.time():.3f}")


def lag() -> float | None:
    """Seconds since the last tick was worked on; None where there never was one.

    Raises:
        redis.RedisError: The broker does not answer.
    """
    noted = _client().get(KEY)
    return None if noted is None else max(0.0, time.time() - float(noted))


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.ASSAY_REDIS_URL, socket_timeout=2, socket_connect_timeout=2, decode_responses=True
    )
