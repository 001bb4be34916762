"""The broker's server, asked briefly: all that it holds are hints, and all goes on without them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import redis
from django.conf import settings

log = logging.getLogger(__name__)

PAUSE = 5.0  # seconds without the broker in which it is not asked again
PATIENCE = 0.2  # seconds for one answer

Answer = TypeVar("Answer")
_resting = {"until": 0.0}  # on the monotonic clock; each process has its own


def ask(question: Callable[[redis.Redis], Answer]) -> Answer | None:
    """What the broker says; None while it is away, which is tried anew each PAUSE."""
    if time.monotonic() < _resting["until"]:
        return None
    try:
        return question(client())
    except redis.RedisError as error:
        _resting["until"] = time.monotonic() + PAUSE
        log.warning("going on without the broker for %.0f s: %s", PAUSE, error)
        return None


def run(script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """What a Lua script answers, done in one step; None while the broker is away."""
    return ask(lambda server: _registered(script)(keys=keys, args=arguments, client=server))


@cache
def client() -> redis.Redis:
    """The connections of this process, which wait for nothing long."""
    return redis.Redis.from_url(
        settings.ASSAY_REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
    )


def forget_client() -> None:
    """Begin anew, with another address."""
    client.cache_clear()
    _registered.cache_clear()
    _resting["until"] = 0.0


@cache
def _registered(script: str) -> Any:
    return client().register_script(script)
