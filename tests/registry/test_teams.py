"""People write for their own team's models, by the API and by pages alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from registry import tokens
from registry.models import ApiToken, ModelVersion
from tests.registry.test_api import API, SEED_ENTRY

Maker = Callable[..., ModelVersion]
Caller = Callable[..., APIClient]

pytestmark = pytest.mark.django_db


def join(username: str, *teams: str) -> None:
    user, _ = User.objects.get_or_create(username=username)
    for team in teams:
        user.groups.add(Group.objects.get_or_create(name=f"team:{team}")[0])


def describe(client: APIClient) -> Any:
    return client.patch(f"{API}/families/Fraud%20Detector", {"description": "New."}, format="json")


@pytest.mark.parametrize(
    ("teams", "required", "status"),
    [
        ((), False, 200),
        ((), True, 403),
        (("fraud_prevention",), True, 200),
        (("fraud_prevention", "other"), False, 200),
        (("other",), False, 403),
    ],
)
def test_a_trainer_writes_for_their_teams(
    api: Caller, make_version: Maker, settings: Any, teams: Any, required: bool, status: int
) -> None:
    settings.ASSAY_TEAMS_REQUIRED = required
    make_version()
    join("tom", *teams)

    answer = describe(api("trainer", username="tom"))

    assert answer.status_code == status
    if status == 403:
        assert "group team:fraud_prevention" in answer.json()["detail"]


def test_no_version_is_slipped_into_another_teams_model(api: Caller, make_version: Maker) -> None:
    make_version(name="Theirs", team="theirs")
    join("tom", "ours")
    client = api("trainer", username="tom")
    entry = {**SEED_ENTRY, "name": "Theirs", "version": "9.9.9"}

    answers = [
        client.post(f"{API}/models", {**entry, "team": team}, format="json")
        for team in ("ours", "theirs")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]


def test_a_model_is_given_to_own_teams_only(api: Caller, make_version: Maker) -> None:
    make_version()
    join("tom", "fraud_prevention")
    client = api("trainer", username="tom")

    answer = client.patch(f"{API}/families/Fraud%20Detector", {"team": "other"}, format="json")

    assert answer.status_code == 403


def test_the_command_binds_and_ends(make_version: Maker) -> None:
    make_version()
    end = (timezone.now() + timedelta(days=9)).replace(microsecond=0)

    call_command(
        *("issue_token", "g", "--role", "serving", "--family", "Fraud Detector"),
        *("--expires", end.isoformat()),
        stdout=StringIO(),
    )

    assert ApiToken.objects.get(family__name="Fraud Detector").expires_at == end


@pytest.mark.parametrize("end", ["soon", "2027-01-31", "2027-01-31T12:00:00", "2020-01-01T00:00Z"])
def test_the_end_of_a_token_is_a_time_to_come_with_its_offset(end: str) -> None:
    with pytest.raises(CommandError, match="offset"):
        call_command("issue_token", "g", "--role", "trainer", "--expires", end)


def test_tokens_are_listed_and_revoked_by_number() -> None:
    tokens.issue("tom", role="trainer", team="ours")
    number = str(ApiToken.objects.get().pk)
    listed, said = StringIO(), StringIO()

    call_command("revoke_token", stdout=listed)
    call_command("revoke_token", number, stdout=said)

    assert listed.getvalue() == f"{number}: trainer token of tom, for ours, expires: never\n"
    assert "is revoked" in said.getvalue()
    assert ApiToken.objects.get().revoked_at is not None
    with pytest.raises(CommandError, match="There is no token"):
        call_command("revoke_token", "0")
