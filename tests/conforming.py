"""Holds every answer of the API, in every test of this process, against the API's document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jsonschema_rs
from django.http import HttpRequest, HttpResponse

from config.openapi import document

PLACE = "/api/model-registry/"
NOT_DESCRIBED = (405,)  # what no method answers to is in no description
NOT_ASKED = ("HEAD", "OPTIONS")


class ConformingMiddleware:
    """Fails a test whose answer has a status, header or body that is not described."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        described = request.path.startswith(PLACE) and request.resolver_match is not None
        if described and request.method not in NOT_ASKED:
            check(request, response)
        return response


def check(request: HttpRequest, response: HttpResponse) -> None:
    """Compare an answer with what its operation's description says.

    Raises:
        AssertionError: They differ; describe it in the view's @describes, or answer otherwise.
    """
    assert request.resolver_match is not None
    operation = operation_of(request.resolver_match.route, str(request.method).lower())
    if operation is None or response.status_code in NOT_DESCRIBED:
        return
    called = f"{request.method} {request.path} answered {response.status_code}"
    answer = operation["responses"].get(str(response.status_code))
    assert answer is not None, f"{called}, which {operation['operationId']} does not describe"
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    content = answer.get("content", {})
    assert not content or media_type in content, f"{called} as {media_type}, not {[*content]}"
    for name, header in answer.get("headers", {}).items():
        assert name in response.headers or not header.get("required"), f"{called} without {name}"
    if media_type.endswith("json") and content:
        errors = validator(operation["operationId"], response.status_code, media_type)
        wrong = [
            f"{e.instance_path}: {e.message}"
            for e in errors.iter_errors(json.loads(response.content))
        ]
        assert not wrong, f"{called}: {wrong[:5]}"


@cache
def operation_of(route: str, method: str) -> dict[str, Any] | None:
    """The description of what answers there; None where the address answers no such method."""
    template = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
    operation: dict[str, Any] | None = document()["paths"].get(template, {}).get(method)
    return operation


@cache
def validator(operation_id: str, status: int, media_type: str) -> Any:
    """Checks one operation's answers of one status."""
    operations = (o for methods in document()["paths"].values() for o in methods.values())
    operation = next(o for o in operations if o["operationId"] == operation_id)
    schema = operation["responses"][str(status)]["content"][media_type]["schema"]
    return jsonschema_rs.validator_for(
        {"components": document()["components"], **schema}, validate_formats=True
    )
