"""Promoting from the console: GET says what would happen, POST with the token does it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from registry.models import Attestation, ModelVersion
from tests.governance.makers import record_traffic, settle_both

pytestmark = pytest.mark.django_db


def url(version: ModelVersion) -> str:
    return f"/admin/governance/review/{version.model_id}/promote/"


@pytest.fixture
def reviewed(version: ModelVersion, rob: User) -> ModelVersion:
    settle_both(version, rob)
    return version


def test_asking_changes_nothing(reviewed: ModelVersion, ada_in: Client) -> None:
    answer = ada_in.get(url(reviewed), {"to": "canary", "canary_percentage": "12.5"})

    reviewed.refresh_from_db()
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="12.5"' in page
    assert "Move it now" in page
    assert reviewed.stage == "sandbox"


def test_posting_promotes(reviewed: ModelVersion, ada_in: Client) -> None:
    answer = ada_in.post(url(reviewed), {"to": "canary", "canary_percentage": "12.5"}, follow=True)

    reviewed.refresh_from_db()
    assert (reviewed.stage, float(reviewed.canary_percentage or 0)) == ("canary", 12.5)
    assert f"{reviewed} is in canary at 12.5 %." in answer.content.decode()


def test_without_a_share_it_is_ten_percent(reviewed: ModelVersion, ada_in: Client) -> None:
    ada_in.post(url(reviewed), {"to": "canary"})

    reviewed.refresh_from_db()
    assert reviewed.canary_percentage == 10


def test_a_closed_gate_offers_no_button_and_names_every_blocker(
    version: ModelVersion, ada_in: Client
) -> None:
    page = ada_in.get(url(version), {"to": "canary"}).content.decode()

    assert "The gate is closed:" in page
    assert page.count("<li>The ") == 2
    assert "Move it now" not in page


def test_a_closed_gate_refuses_the_post_too(version: ModelVersion, ada_in: Client) -> None:
    answer = ada_in.post(url(version), {"to": "canary"})

    version.refresh_from_db()
    assert answer.status_code == 409
    assert answer.content.decode().count("<li>The ") == 2
    assert version.stage == "sandbox"
    assert not Attestation.objects.exists()


def test_a_skipped_stage_is_named_beforehand(version: ModelVersion, ada_in: Client) -> None:
    page = ada_in.get(url(version), {"to": "production"}).content.decode()

    assert "cannot move from sandbox to production" in page
    assert "Move it now" not in page


def test_another_canary_share_is_always_offered(
    make_version: Callable[..., ModelVersion], ada_in: Client
) -> None:
    version = make_version("canary")

    page = ada_in.get(url(version), {"to": "canary", "canary_percentage": "5"}).content.decode()
    ada_in.post(url(version), {"to": "canary", "canary_percentage": "5"})

    version.refresh_from_db()
    assert "A larger share is refused:" in page
    assert "Move it now" in page
    assert version.canary_percentage == 5


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 400),
        ({"to": "nowhere"}, 400),
        ({"to": "canary", "canary_percentage": "lots"}, 400),
        ({"to": "canary", "canary_percentage": "0"}, 400),
        ({"to": "canary", "canary_percentage": "100"}, 400),
        ({"to": "development", "canary_percentage": "10"}, 400),
        ({"to": "rollback"}, 409),
    ],
)
def test_a_move_that_does_not_hold_is_refused(
    reviewed: ModelVersion, ada_in: Client, data: dict[str, str], status: int
) -> None:
    client = ada_in
    User.objects.filter(username="ada").update(is_superuser=True)

    answer = client.post(url(reviewed), data)

    reviewed.refresh_from_db()
    assert answer.status_code == status
    assert reviewed.stage == "sandbox"


def test_entering_production_first_warns(
    make_version: Callable[..., ModelVersion], rob: User, ada_in: Client
) -> None:
    version = make_version("canary")
    settle_both(version, rob)
    record_traffic(version)

    page = ada_in.post(url(version), {"to": "production"}, follow=True).content.decode()

    assert f"{version} is in production." in page
    assert "There is no version to hand back to" in page


def test_withdrawing_asks_no_gate(
    make_version: Callable[..., ModelVersion], ada_in: Client
) -> None:
    version = make_version("canary")

    ada_in.post(url(version), {"to": "sandbox", "reason": "Not ready."})

    version.refresh_from_db()
    assert version.stage == "sandbox"


def test_rolling_back_needs_the_role_for_it(
    make_version: Callable[..., ModelVersion], ada_in: Client, sign_in: Callable[..., Client]
) -> None:
    version = make_version("canary")

    refused = ada_in.post(url(version), {"to": "rollback"})
    done = sign_in("olga", "operator").post(url(version), {"to": "rollback"})

    version.refresh_from_db()
    assert (refused.status_code, done.status_code) == (403, 302)
    assert version.stage == "rollback"


def test_staff_without_a_role_promote_nothing(
    version: ModelVersion, sign_in: Callable[..., Client]
) -> None:
    client = sign_in("sam")

    page = client.get(f"/admin/governance/review/{version.model_id}/").content.decode()
    answer = client.post(url(version), {"to": "development"})

    assert "Withdraw to development" not in page
    assert answer.status_code == 403


def test_without_the_csrf_token_nothing_moves(reviewed: ModelVersion, ada_in: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="ada"))

    answer = strict.post(url(reviewed), {"to": "canary"})

    reviewed.refresh_from_db()
    assert answer.status_code == 403
    assert reviewed.stage == "sandbox"


@pytest.mark.parametrize(
    ("stage", "offered"),
    [
        ("development", ["Promote to sandbox", "Archive"]),
        ("sandbox", ["Promote to canary", "Withdraw to development", "Archive"]),
        ("canary", ["Promote to production", "Change the canary share", "Roll back"]),
        ("production", ["Roll back"]),
        ("rollback", ["Send back to sandbox", "Archive"]),
        ("archived", ["Send back to sandbox"]),
    ],
)
def test_the_review_page_offers_the_moves_there_are(
    make_version: Callable[..., ModelVersion], ada_in: Client, stage: str, offered: list[str]
) -> None:
    version = make_version(stage)

    page = ada_in.get(f"/admin/governance/review/{version.model_id}/").content.decode()

    for label in offered:
        assert f"{label}…" in page
