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
PATIENCE = 0.2  # seconds for one answer that somebody waits for
LONG_PATIENCE = 2.0  # for what is told after a commit

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


def tell(message: Callable[[redis.Redis], Answer]) -> Answer | None:
    """Have the broker know what others will ask it for: tried whatever happened before.

    None where it does not answer.
    """
    try:
        return message(client(LONG_PATIENCE))
    except redis.RedisError as error:
        log.warning("the broker could not be told: %s", error)
        return None


def script(
    text: str, keys: Sequence[str], arguments: Sequence[Any]
) -> Callable[[redis.Redis], Any]:
    """A Lua script to ask or to tell, done in one step."""
    return lambda server: _registered(text)(keys=keys, args=arguments, client=server)


@cache
def client(patience: float = PATIENCE) -> redis.Redis:
    """The connections of this process that wait so many seconds."""
    return redis.Redis.from_url(
        settings.ASSAY_REDIS_URL, socket_timeout=patience, socket_connect_timeout=patience
    )


def forget_client() -> None:
    """Begin anew, with another address."""
    client.cache_clear()
    _registered.cache_clear()
    _resting["until"] = 0.0


@cache
def _registered(text: str) -> Any:
    return client().register_script(text)
