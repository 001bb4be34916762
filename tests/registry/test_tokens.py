"""Who may do what: tokens, roles, scopes and their bounds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from registry import tokens
from registry.models import ApiToken, ModelVersion
from tests.conftest import NOW

Maker = Callable[..., ModelVersion]
Caller = Callable[..., APIClient]

API = "/api/model-registry"
SNAPSHOT = {"timestamp": "2026-01-31T11:59:50Z", "num_requests": 1}

pytestmark = pytest.mark.django_db


def test_the_command_prints_the_token_alone_and_makes_the_user() -> None:
    printed = StringIO()

    call_command("issue_token", "newcomer", "--role", "trainer", stdout=printed)

    token = printed.getvalue().strip()
    found = tokens.find(token, now=NOW)
    assert token.startswith("assay_")
    assert len(printed.getvalue().splitlines()) == 1
    assert found is not None
    assert found.user.username == "newcomer"
    assert list(found.user.groups.values_list("name", flat=True)) == ["trainer"]


@pytest.mark.parametrize(("role", "enters"), [("reviewer", True), ("trainer", False)])
def test_who_may_sign_may_enter_the_console(role: str, enters: bool) -> None:
    tokens.issue("newcomer", role=role)

    assert User.objects.get(username="newcomer").is_staff == enters


def test_the_command_names_the_roles_there_are() -> None:
    with pytest.raises(CommandError, match="trainer, serving, operator, reviewer, risk_officer"):
        call_command("issue_token", "newcomer", "--role", "king")
    assert not User.objects.filter(username="newcomer").exists()


def test_only_a_digest_is_kept() -> None:
    token = tokens.issue("tom", role="trainer")

    kept = ApiToken.objects.get()
    assert token not in {str(value) for value in vars(kept).values()}
    assert kept.digest == tokens.digest_of(token)


def test_expired_revoked_and_inactive_tokens_are_unknown() -> None:
    expired = tokens.issue("tom", role="trainer", expires_at=NOW)
    revoked = tokens.issue("tom", role="trainer")
    ApiToken.objects.filter(digest=tokens.digest_of(revoked)).update(revoked_at=NOW)
    inactive = tokens.issue("ina", role="trainer")
    User.objects.filter(username="ina").update(is_active=False)

    found = [tokens.find(token, now=NOW) for token in (expired, revoked, inactive, "assay_no")]

    assert found == [None] * 4


def test_last_use_is_kept_to_the_minute(django_assert_num_queries: Any) -> None:
    token = tokens.issue("tom", role="trainer")
    tokens.find(token, now=NOW)

    with django_assert_num_queries(1):
        tokens.find(token, now=NOW + timedelta(seconds=59))
    with django_assert_num_queries(2):
        tokens.find(token, now=NOW + timedelta(seconds=61))


@pytest.mark.parametrize(
    ("role", "method", "path", "allowed"),
    [
        ("trainer", "post", "models", True),
        ("serving", "post", "models", False),
        ("reviewer", "post", "models", False),
        ("operator", "post", "models/{id}/rollback", True),
        ("trainer", "post", "models/{id}/rollback", False),
        ("serving", "post", "models/{id}/rollback", False),
        ("serving", "post", "models/{id}/performance", True),
        ("trainer", "post", "models/{id}/performance", False),
        ("trainer", "patch", "models/{id}/deployment", True),
        ("serving", "patch", "models/{id}/deployment", False),
        ("serving", "get", "models/{id}", True),
    ],
)
def test_roles_may_do_what_their_scopes_say(
    api: Caller, make_version: Maker, role: str, method: str, path: str, allowed: bool
) -> None:
    version = make_version()
    call = getattr(api(role), method)

    answer = call(f"{API}/{path.format(id=version.model_id)}", {}, format="json")

    assert (answer.status_code != 403) == allowed
    if not allowed:
        assert "use a token of role" in answer.json()["detail"]


def test_without_credentials_the_answer_says_how_to_bring_some(api: Caller) -> None:
    answer = api().get(f"{API}/models")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="assay"'


def test_a_wrong_token_is_refused_and_never_passed_over(api: Caller, settings: Any) -> None:
    settings.ASSAY_LOCAL_ACCESS = True
    client = api()
    client.credentials(HTTP_AUTHORIZATION="Bearer assay_wrong")

    answer = client.get(f"{API}/models", HTTP_HOST="localhost")

    assert answer.status_code == 401


def test_a_token_bound_to_a_family_reaches_no_other(api: Caller, make_version: Maker) -> None:
    own, other = make_version(name="Own"), make_version(name="Other")
    client = api("serving", family=own.family)

    answers = [
        client.post(f"{API}/models/{v.model_id}/performance", SNAPSHOT, format="json")
        for v in (own, other)
    ]

    assert answers[1].status_code == 403
    assert "bound to the model Own" in answers[1].json()["detail"]
    assert answers[0].status_code != 403


@pytest.mark.parametrize("team", ["", "fraud_prevention"])
def test_a_serving_token_names_its_model(make_version: Maker, team: str) -> None:
    make_version()
    asked = ["issue_token", "gateway", "--role", "serving", "--team", team]

    with pytest.raises(CommandError, match="--role serving --family NAME"):
        call_command(*asked)
    with pytest.raises(CommandError, match="register its first version"):
        call_command(*asked, "--family", "Nobody's")

    assert not ApiToken.objects.exists()
    assert not User.objects.filter(username="gateway").exists()


def test_a_token_bound_to_a_team_registers_for_no_other(api: Caller) -> None:
    entry = {
        "model_id": "m",
        "name": "M",
        "version": "1",
        "framework": "f",
        "model_type": "t",
        "owner": "o",
        "team": "theirs",
    }
    client = api("trainer", team="ours")

    refused = client.post(f"{API}/models", entry, format="json")
    taken = client.post(f"{API}/models", entry | {"team": "ours"}, format="json")

    assert (refused.status_code, taken.status_code) == (403, 201)


def test_the_local_user_is_trainer_and_operator_and_no_reviewer() -> None:
    scopes = tokens.scopes_of(User.objects.get(username="local"))

    assert tokens.MODELS_WRITE in scopes
    assert tokens.ROLL_BACK in scopes
    assert tokens.REVIEW_SIGN not in scopes


def test_a_superuser_signs_only_in_a_role(user_with: Callable[..., User]) -> None:
    root = user_with(username="root")
    root.is_superuser = True

    assert tokens.REVIEW_SIGN not in tokens.scopes_of(root)
    assert tokens.signing_roles(root) == []
