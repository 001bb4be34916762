"""Throttles: how often one caller may ask, counted where all web processes see it.

A count is one atomic step in the broker's server, so two processes cannot both let the last request
through (the framework's own throttle reads a list, then writes it). While the broker is away nobody
is throttled: a rollback must never wait for a counter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from registry import broker
from registry.models import ApiToken

if TYPE_CHECKING:  # the framework imports this module while it makes APIView
    from rest_framework.views import APIView

COUNT = """
local seen = redis.call('incr', KEYS[1])
if seen == 1 then redis.call('pexpire', KEYS[1], ARGV[1]) end
return {seen, redis.call('pttl', KEYS[1])}
"""


class CallerThrottle(BaseThrottle):
    """So many requests a window for one token, or one person without a token."""

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        token = request.auth
        caller = f"token:{token.pk}" if isinstance(token, ApiToken) else f"user:{request.user.pk}"
        self._wait = excess(caller, settings.ASSAY_THROTTLE_REQUESTS)
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait


def refused(request: Any) -> float | None:
    """Count a request without valid credentials; seconds to wait where its address had too many.

    Whoever brings a valid token is not counted here, so nobody behind the same address is locked
    out by another's mistake.
    """
    return excess(f"refused:{request.META.get('REMOTE_ADDR', '')}", settings.ASSAY_THROTTLE_REFUSED)


def excess(who: str, limit: tuple[int, int]) -> float | None:
    """Count one more for ``who``; the seconds until the next window where that is too many.

    Args:
        limit: How many are allowed in how many seconds; none at all are counted where it is 0.
    """
    allowed, seconds = limit
    if not allowed:
        return None
    counted = broker.ask(broker.script(COUNT, [f"assay:throttle:{who}"], [seconds * 1000]))
    if counted is None:
        return None
    seen, left = counted
    return max(left, 1) / 1000 if seen > allowed else None
