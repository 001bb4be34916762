"""Tokens from before each serving token named its model: they read on, and report no more."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from rest_framework.test import APIClient

from config import env
from registry import tokens
from registry.models import ApiToken, ModelVersion
from tests.conftest import NOW
from tests.registry.test_tokens import API, SNAPSHOT

Maker = Callable[..., ModelVersion]
Caller = Callable[..., APIClient]


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("team", ["", "fraud_prevention"])
def test_a_serving_token_from_before_reads_on_and_reports_no_more(
    api: Caller, make_version: Maker, team: str
) -> None:
    version, client = make_version(), api("serving")
    unbind(team)

    read = client.get(f"{API}/models/{version.model_id}")
    refused = client.post(f"{API}/models/{version.model_id}/performance", SNAPSHOT, format="json")

    assert (read.status_code, refused.status_code) == (200, 403)
    assert "--role serving --family NAME" in refused.json()["detail"]
    assert ApiToken.objects.get().last_used_at is not None
    tokens.revoke(ApiToken.objects.get(), now=NOW)
    assert client.get(f"{API}/models").status_code == 401


def unbind(team: str) -> None:
    """Make every token one of those that were issued before each serving token named its model."""
    trigger = "trigger serving_names_its_model"
    with psycopg.connect(env.owner_database_url()) as owner:
        owner.execute(f"alter table registry_apitoken disable {trigger}".encode())
        owner.execute("update registry_apitoken set family_id = null, team = %s", [team])
        owner.execute(f"alter table registry_apitoken enable {trigger}".encode())
