"""The sign-in pages: who gives too many wrong passwords has to wait, and learns nothing else."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from registry import broker

PAGES = ["/login/", "/admin/login/"]
RIGHT = "correct horse battery staple"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    settings.ASSAY_THROTTLE_PASSWORDS = (3, 900)
    settings.ASSAY_THROTTLE_PASSWORDS_ADDRESS = (5, 900)


@pytest.fixture
def name() -> str:
    """A name, and an address, that no other test has."""
    return f"ada-{uuid4()}"


@pytest.fixture
def ada(user_with: Callable[..., User], name: str) -> User:
    user = user_with("reviewer", username=name, password=RIGHT)
    user.is_staff = True
    user.save()
    return user


def enter(page: str, name: str, password: str, address: str = "") -> Any:
    return Client().post(
        page, {"username": name, "password": password}, REMOTE_ADDR=address or f"of {name}"
    )


def said(answer: Any) -> str:
    return str(answer.content.decode()).partition('role="alert">')[2].partition("<")[0]


@pytest.mark.parametrize("page", PAGES)
def test_who_guesses_too_often_waits_and_the_right_password_is_not_looked_at(
    ada: User, page: str
) -> None:
    wrong = [enter(page, ada.username, f"guess {number}") for number in range(4)]

    late = enter(page, ada.username, RIGHT)

    assert [answer.status_code for answer in wrong] == [200, 200, 200, 429]
    assert late.status_code == 429
    assert 800 < int(late["Retry-After"]) <= 900
    assert "Try again after" in said(late)
    assert "UTC, in 15 minutes." in said(late)
    assert "sessionid" not in late.cookies


@pytest.mark.parametrize("page", PAGES)
def test_names_that_there_are_not_are_answered_alike(ada: User, name: str, page: str) -> None:
    nobody = f"nobody-{name}"

    answers = {
        who: [enter(page, who, f"guess {number}") for number in range(5)] for who in (name, nobody)
    }
    statuses, words = (
        {who: [look(answer) for answer in given] for who, given in answers.items()}
        for look in (lambda answer: answer.status_code, lambda answer: said(answer)[:60])
    )

    assert statuses[name] == statuses[nobody] == [200, 200, 200, 429, 429]
    assert words[name] == words[nobody]


def test_both_pages_count_together_however_a_name_is_written(ada: User) -> None:
    for written in (ada.username, ada.username.upper(), f" {ada.username}"):
        enter("/login/", written, "guess")

    assert enter("/admin/login/", ada.username, RIGHT).status_code == 429


def test_an_address_that_tries_names_waits_and_other_addresses_do_not(ada: User) -> None:
    address = f"of {ada.username}"
    tried = [enter("/login/", f"{n}-{ada.username}", "guess", address) for n in range(5)]

    here = enter("/login/", ada.username, RIGHT, address)
    elsewhere = enter("/login/", ada.username, RIGHT, f"not {address}")

    assert {answer.status_code for answer in tried} == {200}
    assert here.status_code == 429
    assert (elsewhere.status_code, elsewhere["Location"]) == (302, "/models/")


def test_right_passwords_count_for_nobody(ada: User) -> None:
    for _ in range(2):
        enter("/login/", ada.username, "mistyped")
    entered = [enter("/login/", ada.username, RIGHT).status_code for _ in range(8)]

    wrong = [enter("/login/", ada.username, "mistyped").status_code for _ in range(3)]

    assert set(entered) == {302}
    assert wrong == [200, 200, 200]


def test_a_new_password_from_the_terminal_lets_one_in_at_once(ada: User) -> None:
    for _ in range(4):
        locked = enter("/admin/login/", ada.username, "guess")
    told = StringIO()

    call_command("password", ada.username, stdout=told)

    assert locked.status_code == 429
    given = enter("/admin/login/?next=/admin/", ada.username, told.getvalue().split()[-1])
    assert given.status_code == 302


def test_without_the_broker_people_still_sign_in(ada: User, settings: Any) -> None:
    broker.forget_client()
    settings.ASSAY_REDIS_URL = "redis://127.0.0.1:1"

    entered = enter("/login/", ada.username, RIGHT)

    broker.forget_client()
    assert entered.status_code == 302
