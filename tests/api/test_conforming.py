"""What holds the tests' answers against the document does see a wrong one."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import RequestFactory
from django.urls import resolve

from tests import conforming

ADDRESS = "/api/model-registry/families/x/traffic"
TRAFFIC = {"revision": 1, "salt": "s", "family": "x", "targets": []}


@pytest.fixture
def request_() -> HttpRequest:
    request = RequestFactory().get(ADDRESS)
    request.resolver_match = resolve(ADDRESS)
    return request


def test_what_is_described_passes(request_: HttpRequest) -> None:
    conforming.check(request_, JsonResponse(TRAFFIC, headers={"ETag": '"1"'}))


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (HttpResponse(status=418), "answered 418, which getTraffic does not describe"),
        (JsonResponse(TRAFFIC), "answered 200 without ETag"),
        (HttpResponse("hello", headers={"ETag": '"1"'}), "answered 200 as text/html"),
        (
            JsonResponse(TRAFFIC | {"revision": "1"}, headers={"ETag": '"1"'}),
            "is not of type",
        ),
    ],
    ids=["status", "header", "media type", "body"],
)
def test_what_is_not_fails(request_: HttpRequest, response: HttpResponse, said: str) -> None:
    with pytest.raises(AssertionError) as refusal:
        conforming.check(request_, response)

    assert said in str(refusal.value)
