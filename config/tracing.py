"""Every request has an id, and is told of in one log line and in the metrics."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from config.request_ids import request_id
from registry import actors, counting

log = logging.getLogger("assay.access")

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{8,128}")  # nothing that could forge a log line
NO_ROUTE = "none"  # what no address answers to, and static files


class TracingMiddleware:
    """Gives each request its id, and says in one line and in the metrics how it went."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        given = request.headers.get(HEADER, "")
        token = request_id.set(given if SANE.fullmatch(given) else uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response[HEADER] = str(request_id.get())
            _tell(request, response, time.perf_counter() - began)
        finally:
            request_id.reset(token)
        return response


def _tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """The path itself is not told: it may hold names. Nor are bodies, queries and headers."""
    route = request.resolver_match.route if request.resolver_match else NO_ROUTE
    counting.count_request(str(request.method), route, response.status_code, seconds)
    facts = {
        "method": request.method,
        "route": route,
        "status": response.status_code,
        "duration_ms": round(seconds * 1000, 1),
        "user": _known_user(request),
    }
    log.info("%s", " ".join(f"{name}={value}" for name, value in facts.items()), extra=facts)


def _known_user(request: HttpRequest) -> str:
    """The opaque id of the caller, if somebody asked for it already: telling costs no query."""
    known: Any
    for known in (getattr(request, "_cached_user", None), vars(request).get("user")):
        # A lazy user that nobody looked at has no class of its own yet, so type() and not isinstance.
        if issubclass(type(known), AbstractBaseUser):
            return actors.actor_of(known)
    return "-"
