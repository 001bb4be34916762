"""Errors as people and programs see them: RFC 9457 problems, in one place."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions, views
from rest_framework.response import Response

from config import throttles
from config.request_ids import request_id
from registry.errors import RegistryError

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
API = "/api/"
RETRY = {"Retry-After": "5"}  # seconds; about what a restarted database takes
DATABASE_AWAY = "The database does not answer just now; try again."


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler; None leaves the error to Django."""
    problem, headers = _describe(_throttled(error, context["request"]))
    if problem is None:
        return None
    views.set_rollback()
    return Response(problem, status=problem["status"], headers=headers, content_type=CONTENT_TYPE)


class DomainErrorMiddleware:
    """Refusals on pages: the same sentences, as a page with the same status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, RegistryError) and not _is_api(request):
            return _page(request, _problem(error.status, error.code, error.title, str(error)))
        if isinstance(error, OperationalError | InterfaceError):
            problem, _ = _describe(error)
            return _page(request, problem) if problem else None
        if isinstance(error, DataError) and request.method == "GET" and not _is_api(request):
            # The stock admin hands on what an address asks for: a NUL, a time of no calendar.
            return refuse(request, HTTPStatus.BAD_REQUEST, "Nothing here can be asked for so.")
        return None


def refuse(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """A refusal outside the API's views."""
    return _answer(request, HTTPStatus(status), sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing answers to this path."""
    return _answer(request, HTTPStatus.NOT_FOUND, f"There is nothing at {request.path}.")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours; its details are in the log, not here.

    A database that goes away under a middleware ends here as well, and is no fault of ours.
    """
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return _answer(request, HTTPStatus.SERVICE_UNAVAILABLE, DATABASE_AWAY, RETRY)
    return _answer(
        request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; it has been logged."
    )


def _describe(error: Exception) -> tuple[dict[str, Any] | None, dict[str, str]]:
    if isinstance(error, RegistryError):
        problem = _problem(error.status, error.code, error.title, str(error))
        return problem | error.details(), {}
    if isinstance(error, exceptions.ValidationError):
        errors = [
            {"pointer": pointer, "code": detail.code, "detail": str(detail)}
            for pointer, detail in _flatten(error.detail)
        ]
        sentence = " ".join(f"{e['pointer'] or 'body'}: {e['detail']}" for e in errors[:5])
        problem = _problem(400, "invalid-input", "The input is not valid", sentence)
        return problem | {"errors": errors}, {}
    if isinstance(error, OperationalError | InterfaceError):
        log.error("the database does not answer: %s", error)
        return _problem(503, "unavailable", "Not available", DATABASE_AWAY), RETRY
    return _describe_framework_error(error)


def _describe_framework_error(error: Exception) -> tuple[dict[str, Any] | None, dict[str, str]]:
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None, {}
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(math.ceil(getattr(error, "wait", None) or 1))
    status = HTTPStatus(error.status_code)
    code = str(error.default_code).replace("_", "-")
    return _problem(status, code, status.phrase, str(error.detail)), headers


def _throttled(error: Exception, request: Any) -> Exception:
    """The error, or 429 where its address has had too many without valid credentials."""
    if not isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return error
    wait = throttles.refused(request)
    return error if wait is None else exceptions.Throttled(wait)


def _problem(status: int, code: str, title: str, detail: str) -> dict[str, Any]:
    problem = {"type": f"/problems/{code}", "title": title, "status": int(status), "detail": detail}
    asked = request_id.get()
    return problem if asked is None else problem | {"request_id": asked}


def _flatten(
    detail: Any,
    pointer: str = "",
) -> Iterator[tuple[str, exceptions.ErrorDetail]]:
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _flatten(inner, pointer if key == "non_field_errors" else f"{pointer}/{key}")
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _flatten(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield pointer, detail


def _answer(
    request: HttpRequest,
    status: HTTPStatus,
    sentence: str,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    code = status.phrase.lower().replace(" ", "-")
    problem = _problem(status, code, status.phrase, sentence)
    if _is_api(request):
        return JsonResponse(problem, status=status, content_type=CONTENT_TYPE, headers=headers)
    page = _page(request, problem)
    for name, value in (headers or {}).items():
        page[name] = value
    return page


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith(API)


def _page(request: HttpRequest, problem: dict[str, Any]) -> HttpResponse:
    return render(request, "problem.html", {"problem": problem}, status=problem["status"])
