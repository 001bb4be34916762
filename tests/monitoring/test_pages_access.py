"""Who sees the pages, and that they carry nothing inline and nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from registry.models import ModelVersion
from tests.monitoring.browsing import text

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

PAGES = [
    "/models/",
    "/incidents/",
    "/statistics/",
    "/live/models/",
    "/live/incidents/",
    "/live/statistics/",
    "/live/open/",
]


@pytest.mark.parametrize("page", [*PAGES, "/models/x/", "/models/x/history/", "/incidents/1/"])
def test_strangers_are_sent_to_sign_in_and_back(client: Client, page: str) -> None:
    answer = client.get(page)

    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={page}")


def test_a_fragment_sends_the_whole_page_to_sign_in(client: Client) -> None:
    answer = client.get("/live/models/", headers={"HX-Request": "true"})

    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/login/")


def test_people_without_a_role_are_told_which_they_need(
    client: Client, user_with: Callable[..., User]
) -> None:
    client.force_login(user_with(username="nobody"))

    answer = client.get("/models/")

    assert answer.status_code == 403
    assert "ask an administrator for the role trainer or serving" in text(answer)


@pytest.mark.parametrize("page", PAGES)
def test_every_reader_sees_every_page(reviewer: Client, page: str) -> None:
    assert reviewer.get(page).status_code == 200


@pytest.mark.parametrize("page", ["/models/nothing/", "/models/nothing/history/", "/incidents/9/"])
def test_what_is_not_there_is_said_on_a_page(reviewer: Client, page: str) -> None:
    answer = reviewer.get(page)

    assert answer.status_code == 404
    assert "There is no" in text(answer)


def test_a_wrong_filter_is_a_sentence_not_a_fault(reviewer: Client) -> None:
    answer = reviewer.get("/models/?stage=live")

    assert answer.status_code == 400
    assert "Stages are development" in text(answer)


def test_the_first_entry_of_the_sidebar_is_the_seeds(reviewer: Client) -> None:
    sidebar = re.search(
        r"<ul class=\"nav\">(.*?)</ul>", reviewer.get("/models/").content.decode(), re.DOTALL
    )

    assert sidebar is not None
    first = re.findall(r"<li>(.*?)</li>", sidebar[1], re.DOTALL)[0]
    assert 'id="models" href="/models/" aria-current="page"' in first
    assert "🧠" in first
    assert "ML Models" in first


@pytest.mark.parametrize(
    "page", ["/models/", "/incidents/", "/statistics/", "/models/m/", "/models/m/rollback/"]
)
def test_pages_need_nothing_inline_and_nothing_from_elsewhere(
    operator: Client, make_version: Maker, page: str
) -> None:
    make_version("canary", model_id="m")

    body = operator.get(page).content.decode()

    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", body) == []
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", body))
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", body) == []


def test_the_console_wears_the_same_sidebar(client: Client, admin_user: User) -> None:
    client.force_login(admin_user)

    body = client.get("/admin/").content.decode()

    assert 'id="models" href="/models/"' in body
    assert "assay/tokens.css" in body
    assert re.findall(r"<style|\sstyle=", body) == []
