"""Callers without credentials: only this machine, only as `make up` allows, and never a web page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.embedded.locations import Home
from config.embedded.programs import Addresses, Programs

MODELS = "/api/model-registry/models"
# What granian says of a curl call from this machine.
LOCAL: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}


@pytest.fixture(autouse=True)
def allowed(db: None, settings: Any) -> None:
    settings.ASSAY_LOCAL_ACCESS = True


def read(**meta: Any) -> int:
    """The status of a GET without credentials."""
    return Client().get(MODELS, **LOCAL | meta).status_code


def write(content_type: str = "application/json", **meta: Any) -> int:
    """The status of a POST without credentials; its body is wrong, so that it changes nothing."""
    return Client().post(MODELS, b"{}", content_type, **LOCAL | meta).status_code


def test_this_machine_may_read_and_write() -> None:
    assert (read(), write()) == (200, 400)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000"])
def test_the_machines_own_names_are_local(host: str) -> None:
    assert read(HTTP_HOST=host) == 200


def test_without_make_up_nobody_is_local(settings: Any) -> None:
    settings.ASSAY_LOCAL_ACCESS = False

    assert (read(), write()) == (401, 401)


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ({}, "1"),
        ({"ASSAY_LOCAL_ACCESS": "0"}, "0"),
        ({"ASSAY_BASE_URL": "https://assay.example.org"}, "0"),
        ({"ASSAY_BASE_URL": "https://assay.example.org", "ASSAY_LOCAL_ACCESS": "1"}, "1"),
    ],
)
def test_make_up_allows_it_unless_people_come_by_another_address(
    given: dict[str, str], passed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("ASSAY_LOCAL_ACCESS", "ASSAY_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    programs = Programs(Home(tmp_path), 8000, Addresses("", "", ""))

    assert programs.environment["ASSAY_LOCAL_ACCESS"] == passed


@pytest.mark.parametrize("address", ["192.168.1.7", "8.8.8.8", "", "::ffff:10.0.0.1", "nonsense"])
def test_another_peer_is_not_local(address: str) -> None:
    assert (read(REMOTE_ADDR=address), write(REMOTE_ADDR=address)) == (401, 401)


@pytest.mark.parametrize(
    "host", ["rebound.example", "localhost.rebound.example", "127.0.0.1.example", "localhost."]
)
def test_another_host_name_is_not_local(host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]  # the name alone decides, not Django's list

    assert (read(HTTP_HOST=host), write(HTTP_HOST=host)) == (401, 401)


@pytest.mark.parametrize(
    "header",
    [
        "HTTP_FORWARDED",
        "HTTP_VIA",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_FORWARDED_ANYTHING_ELSE",
    ],
)
def test_whatever_came_through_a_proxy_is_not_local(header: str) -> None:
    assert (read(**{header: "127.0.0.1"}), write(**{header: "127.0.0.1"})) == (401, 401)


@pytest.mark.parametrize(
    "origin",
    ["http://elsewhere.example", "http://localhost:9000", "https://localhost:8000", "null"],
)
def test_another_origin_is_not_local(origin: str) -> None:
    assert (read(HTTP_ORIGIN=origin), write(HTTP_ORIGIN=origin)) == (401, 401)


def test_the_same_origin_is_local() -> None:
    assert write(HTTP_ORIGIN="http://localhost:8000", HTTP_SEC_FETCH_SITE="same-origin") == 400


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_is_not_local(site: str) -> None:
    assert (read(HTTP_SEC_FETCH_SITE=site), write(HTTP_SEC_FETCH_SITE=site)) == (401, 401)


def test_a_typed_address_may_only_be_read() -> None:
    assert (read(HTTP_SEC_FETCH_SITE="none"), write(HTTP_SEC_FETCH_SITE="none")) == (200, 401)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]
)
def test_a_form_is_not_local(content_type: str) -> None:
    assert write(content_type) == 401


def test_a_body_less_write_names_its_type_too() -> None:
    path = f"{MODELS}/nothing_v1/rollback"

    named = Client().generic("POST", path, **LOCAL, CONTENT_TYPE="application/json")
    unnamed = Client().generic("POST", path, **LOCAL, CONTENT_TYPE="")

    assert (named.status_code, unnamed.status_code) == (404, 401)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_unsafe_method_names_json(method: str) -> None:
    path = "/api/model-registry/families/Nothing/aliases/champion"

    named = Client().generic(method, path, **LOCAL, CONTENT_TYPE="application/json")
    unnamed = Client().generic(method, path, **LOCAL, CONTENT_TYPE="text/plain")

    assert named.status_code != 401
    assert unnamed.status_code == 401


def test_the_local_user_is_trainer_and_operator_and_nothing_else() -> None:
    roles = User.objects.get(username="local").groups.values_list("name", flat=True)

    assert sorted(roles) == ["operator", "trainer"]


def test_the_local_user_never_reviews() -> None:
    tick = b'{"metadata": {"bias_check_passed": true}}'

    answer = Client().patch(f"{MODELS}/nothing_v1", tick, "application/json", **LOCAL)

    assert answer.status_code == 403
    assert "reviewer" in answer.json()["detail"]
