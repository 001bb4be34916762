"""Who is calling: bearer tokens, sessions, the same process, or this very machine."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from registry import clock, tokens
from registry.models import ApiToken

LOCAL_USER = "local"  # made by migration: trainer and operator, never a reviewer
LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
NOT_PAGES = ("/api/", "/admin/", "/healthz", "/readyz")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
CHALLENGE = 'Bearer realm="assay"'
IN_PROCESS = "assay.actor"  # no header can set it: those all begin with HTTP_


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer assay_…``; a wrong token is refused, never passed over."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        polled = getattr((request.parser_context or {}).get("view"), "polled", False)
        find = tokens.find_for_poll if polled else tokens.find
        found = find(token.strip(), now=clock.now()) if scheme.lower() == "bearer" else None
        if found is None:
            raise exceptions.AuthenticationFailed(
                "This token is unknown, expired or revoked; issue another with "
                "`manage.py issue_token`."
            )
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class InProcessAuthentication(authentication.BaseAuthentication):
    """Calls that config.inprocess makes in the name of a user."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        username = request.META.get(IN_PROCESS)
        if username is None:
            return None
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise exceptions.AuthenticationFailed(
                f"There is no active user {username!r}; make one with `manage.py issue_token`."
            )
        return user, None

    def authenticate_header(self, request: Request) -> str:
        # The framework asks the first class alone; without an answer every 401 becomes a 403.
        return CHALLENGE


class SessionAuthentication(authentication.SessionAuthentication):
    """People who logged in; unsafe methods need the CSRF token."""


class LocalAuthentication(authentication.BaseAuthentication):
    """The seed's curl lines: no credentials, from this machine, where `make up` allows it."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        if not is_local(request._request):
            return None
        user = User.objects.filter(username=LOCAL_USER, is_active=True).first()
        return None if user is None else (user, None)


class LocalAccessMiddleware:
    """Lets this machine look at the pages without a login; deciding anything still needs one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        reading = request.method in SAFE_METHODS and not request.path.startswith(NOT_PAGES)
        if reading and settings.ASSAY_LOCAL_ACCESS and not request.user.is_authenticated:
            local = User.objects.filter(username=LOCAL_USER, is_active=True).first()
            if local is not None and is_local(request):
                request.user = local
        return self.get_response(request)


def is_local(request: HttpRequest) -> bool:
    """Whether all of these hold, so that neither a proxy nor another site's page gets in.

    The process allows it; the peer is loopback; Host is exactly this machine's own name; no
    proxy header; Origin and Sec-Fetch-Site absent or the same; unsafe methods carry JSON.
    """
    meta: dict[str, Any] = request.META
    return (
        settings.ASSAY_LOCAL_ACCESS
        and _is_loopback(meta.get("REMOTE_ADDR", ""))
        and LOCAL_HOST.fullmatch(meta.get("HTTP_HOST", "")) is not None
        and not _came_through_a_proxy(meta)
        and meta.get("HTTP_ORIGIN") in (None, f"{request.scheme}://{meta.get('HTTP_HOST')}")
        and _same_site(request)
        and (request.method in SAFE_METHODS or request.content_type == "application/json")
    )


def is_loopback_peer(request: HttpRequest) -> bool:
    """Whether a process of this machine asks, and not through a proxy for another."""
    meta = request.META
    return _is_loopback(meta.get("REMOTE_ADDR", "")) and not _came_through_a_proxy(meta)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _came_through_a_proxy(meta: dict[str, Any]) -> bool:
    named = ("HTTP_FORWARDED", "HTTP_VIA")
    return any(key in named or key.startswith("HTTP_X_FORWARDED") for key in meta)


def _same_site(request: HttpRequest) -> bool:
    """A browser says "none" where a person typed the address: harmless for reading."""
    allowed = {None, "same-origin"} | ({"none"} if request.method in SAFE_METHODS else set())
    return request.META.get("HTTP_SEC_FETCH_SITE") in allowed
