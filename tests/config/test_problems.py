"""What people and programs are told while the database is away."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config import problems


def answer_after(error: Exception, path: str) -> HttpResponse:
    """What the last handler says of ``error``, as Django calls it."""
    request: HttpRequest = RequestFactory().get(path)
    try:
        raise error
    except type(error):
        assert sys.exc_info()[1] is error
        return problems.server_error(request)


@pytest.mark.parametrize("path", ["/models/", "/api/model-registry/models"])
def test_a_database_that_is_away_is_503_wherever_it_was_missed(path: str) -> None:
    answer = answer_after(OperationalError("the connection is closed"), path)

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert b"does not answer just now" in answer.content


@pytest.mark.parametrize("path", ["/models/", "/api/model-registry/models"])
def test_a_fault_of_ours_is_500_and_tells_no_details(path: str) -> None:
    answer = answer_after(ValueError("a secret"), path)

    assert answer.status_code == 500
    assert b"a secret" not in answer.content


def test_what_is_nowhere_is_a_problem_for_programs_and_a_page_for_people(client: Any) -> None:
    problem = client.get("/api/model-registry/nothing")
    page = client.get("/nothing/")

    assert (problem.status_code, page.status_code) == (404, 404)
    assert problem["Content-Type"] == "application/problem+json"
    assert b"<h1>" in page.content


@pytest.mark.parametrize("asked", ["actor=%00", "timestamp__gte=0001-01-01T00:00:00-23:59"])
def test_an_address_that_the_database_cannot_read_is_refused_as_a_page(
    admin_client: Any, asked: str
) -> None:
    answer = admin_client.get(f"/admin/registry/event/?{asked}")

    assert answer.status_code == 400
    assert b"Nothing here can be asked for so." in answer.content
