"""Every refusal is of the kind its caller can act on, and says all the registry said."""

from __future__ import annotations

import json
import pickle

import pytest

from assay import (
    AssayError,
    Conflict,
    FieldError,
    InvalidInput,
    NotFound,
    PermissionRefused,
    PromotionBlocked,
    Unauthorized,
    Unavailable,
)
from assay.errors import from_answer, refused

BLOCKERS = [
    "The constitutional compliance check has not passed.",
    "The bias check has not passed.",
]


def refusal(status: int, **problem: object) -> AssayError:
    return from_answer(status, {}, json.dumps(problem).encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (401, Unauthorized),
        (403, PermissionRefused),
        (404, NotFound),
        (409, Conflict),
        (412, Conflict),
        (413, InvalidInput),
        (415, InvalidInput),
        (418, AssayError),
        (422, InvalidInput),
        (429, Unavailable),
        (500, AssayError),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ],
)
def test_a_status_is_a_kind_of_error(status: int, kind: type[AssayError]) -> None:
    error = refusal(status, title="No")

    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize("status", [403, 409, 422])
def test_blockers_make_a_blocked_promotion_whatever_the_status(status: int) -> None:
    error = refusal(status, title="The gate is closed", blockers=BLOCKERS)

    assert isinstance(error, PromotionBlocked)
    assert error.blockers == BLOCKERS


def test_the_message_of_a_blocked_promotion_names_every_blocker() -> None:
    error = refusal(409, title="The gate is closed", blockers=BLOCKERS)

    assert str(error) == (
        "The gate is closed\n"
        "  The constitutional compliance check has not passed.\n"
        "  The bias check has not passed."
    )


def test_the_message_is_title_and_detail_and_each_field() -> None:
    error = refusal(
        400,
        type="/problems/invalid",
        title="Invalid input",
        detail="Two fields are wrong.",
        errors=[
            {"pointer": "/version", "code": "required", "detail": "This field is required."},
            {"pointer": "/tags/0", "code": "type", "detail": "Give text."},
        ],
    )

    assert str(error) == (
        "Invalid input: Two fields are wrong.\n"
        "  /version: This field is required.\n"
        "  /tags/0: Give text."
    )
    assert error.code == "invalid"
    assert error.errors[0] == FieldError("/version", "required", "This field is required.")


def test_what_is_said_twice_is_printed_once() -> None:
    assert str(refusal(404, title="No such model.", detail="No such model.")) == "No such model."


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (502, b"<html>Bad gateway</html>", "HTTP 502 Bad Gateway"),
        (500, b"", "HTTP 500 Internal Server Error"),
        (404, b"[]", "HTTP 404 Not Found"),
        (599, b"", "HTTP 599"),
    ],
)
def test_an_answer_that_is_no_problem_document_still_has_a_message(
    status: int, body: bytes, said: str
) -> None:
    error = from_answer(status, {}, body)

    assert str(error) == said
    assert error.code == ""
    assert error.errors == []


def test_an_error_of_the_whole_document_points_at_the_root() -> None:
    error = refused("", "invalid", "Not an object.")

    assert str(error) == "/: Not an object."


def test_a_refusal_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(refusal(409, title="Closed", blockers=BLOCKERS)))

    assert isinstance(error, PromotionBlocked)
    assert error.blockers == BLOCKERS
    assert error.status == 409
    assert str(error).startswith("Closed")
