"""Throttles: how often one caller may ask, counted where all web processes see it.

The framework's own throttle reads a list, then writes it, so two processes both let the last request
through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from registry import rates
from registry.models import ApiToken

if TYPE_CHECKING:  # the framework imports this module while it makes APIView
    from rest_framework.views import APIView


class CallerThrottle(BaseThrottle):
    """So many requests a window for one token, or one person without a token."""

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        token = request.auth
        caller = f"token:{token.pk}" if isinstance(token, ApiToken) else f"user:{request.user.pk}"
        self._wait = rates.excess(caller, settings.ASSAY_THROTTLE_REQUESTS)
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait


def refused(request: Any) -> float | None:
    """Count a request without valid credentials; seconds to wait where its address had too many.

    Whoever brings a valid token is not counted here, so nobody behind the same address is locked
    out by another's mistake.
    """
    return rates.excess(
        f"refused:{request.META.get('REMOTE_ADDR', '')}", settings.ASSAY_THROTTLE_REFUSED
    )
