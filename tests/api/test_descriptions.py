"""Every method of the API is described, and the description is whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from config import openapi

REMEDY = "Put @describes(…) above it: registry/api/describing.py shows how."


def api_methods() -> Iterator[tuple[str, str, Any]]:
    """Every method that some address of the API answers: its address, name and function."""

    def walk(patterns: Any, prefix: str = "") -> Iterator[tuple[str, type[APIView]]]:
        for pattern in patterns:
            path = f"{prefix}{pattern.pattern}"
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            elif isinstance(pattern, URLPattern) and hasattr(pattern.callback, "cls"):
                yield path, pattern.callback.cls

    for path, view in walk(get_resolver().url_patterns):
        for method in view().allowed_methods:
            if method not in ("OPTIONS", "HEAD"):
                yield path, method, getattr(view, method.lower())


@pytest.mark.parametrize(
    ("path", "method", "function"),
    [pytest.param(*found, id=f"{found[1]} {found[0]}") for found in api_methods()],
)
def test_every_method_is_described(path: str, method: str, function: Any) -> None:
    described = getattr(function, "described", None)

    assert described is not None, f"{function.__qualname__} has no description. {REMEDY}"
    assert described.summary
    assert described.answers, "Say what it answers where all is well."
    assert method in ("GET", "DELETE") or described.body is not None, "Say what its body is."


OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, methods in openapi.document()["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_says_all(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    parameters = [parameter["name"] for parameter in operation["parameters"]]

    assert operation["description"], "The view's docstring becomes the description."
    assert operation["tags"][0] in openapi.TAGS
    assert operation["security"][0]["bearer"], "The scope comes from the view's `scopes`."
    assert {"401", "403", "406", "503"} <= responses.keys()
    assert method in ("get", "delete") or {"400", "413", "415"} <= responses.keys()
    assert [name for name in parameters if f"{{{name}}}" in path] == [
        part[1:-1] for part in path.split("/") if part.startswith("{")
    ]
    assert all(parameter["description"] for parameter in operation["parameters"])


def operations() -> list[dict[str, Any]]:
    paths = openapi.document()["paths"].values()
    return [operation for methods in paths for operation in methods.values()]


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for operation in operations()]

    assert len(set(names)) == len(names)


def test_links_lead_to_operations() -> None:
    known = {operation["operationId"]: operation for operation in operations()}

    for operation in known.values():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                wanted = {p["name"] for p in known[link["operationId"]]["parameters"]}
                assert link["parameters"].keys() <= wanted


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("accept", "answered", "first"),
    [
        ("*/*", "application/vnd.oai.openapi+json", b'{"openapi":"3.1.0"'),
        ("application/json", "application/json", b'{"openapi":"3.1.0"'),
        ("application/yaml", "application/yaml", b"openapi: 3.1.0"),
    ],
)
def test_the_document_is_json_or_yaml(
    client: Client, accept: str, answered: str, first: bytes
) -> None:
    answer = client.get("/api/schema/", headers={"accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, answered)
    assert answer.content.startswith(first)
    again = client.get("/api/schema/", headers={"accept": accept, "if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
def test_what_cannot_be_offered_is_said(client: Client) -> None:
    answer = client.get("/api/schema/", headers={"accept": "image/png"})

    assert (answer.status_code, answer.content[:9]) == (406, b"There are")
