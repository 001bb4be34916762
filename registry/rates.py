"""How often something happened in a window, counted where all processes see it.

A count is one atomic step in the broker's server, so two processes cannot both let the last one
through. While the broker is away nothing is counted: a rollback must never wait for a counter.
"""

from __future__ import annotations

from registry import broker

COUNT = """
local seen = redis.call('incr', KEYS[1])
if seen == 1 then redis.call('pexpire', KEYS[1], ARGV[1]) end
return {seen, redis.call('pttl', KEYS[1])}
"""
TAKE_BACK = "if redis.call('exists', KEYS[1]) == 1 then redis.call('decr', KEYS[1]) end"


def excess(who: str, limit: tuple[int, int]) -> float | None:
    """Count one more for ``who``; the seconds until the next window where that is too many.

    Args:
        limit: How many are allowed in how many seconds; none at all are counted where it is 0.
    """
    allowed, seconds = limit
    if not allowed:
        return None
    counted = broker.ask(broker.script(COUNT, [_key(who)], [seconds * 1000]))
    if counted is None:
        return None
    seen, left = counted
    return max(left, 1) / 1000 if seen > allowed else None


def take_back(who: str) -> None:
    """Let the last one not have counted."""
    broker.ask(broker.script(TAKE_BACK, [_key(who)], []))


def forget(who: str) -> None:
    """Begin anew for ``who``."""
    broker.ask(lambda server: server.delete(_key(who)))


def _key(who: str) -> str:
    return f"assay:throttle:{who}"
