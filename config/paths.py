"""Addresses that nothing can have."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config import problems


class PathMiddleware:
    """Answers 404 where a path has a NUL: no text that the database keeps has one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path:
            return problems.refuse(request, 404, "No address has a NUL.")
        return self.get_response(request)
