"""The Co-Pilot by page, by API and by command: one conversation, three faces."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from registry.models import ModelFamily, ModelVersion
from tests.monitoring.browsing import text

pytestmark = pytest.mark.django_db

API = "/api/model-registry/copilot"
PROMOTE = "promote fraud detector to canary at 25%"
Shop = Mapping[str, ModelVersion]


@pytest.fixture
def olga_in(operator: User) -> Client:
    """A browser in which the operator has signed in."""
    client = Client()
    client.force_login(operator)
    return client


def stage_of(model_id: str) -> str:
    return ModelVersion.objects.get(model_id=model_id).stage


def confirmation(page: Any) -> str:
    """What the page's form would send."""
    found = re.search(r'name="confirmation" value="([^"]+)"', page.content.decode())
    assert found is not None
    return unescape(found[1])


def run(*arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("ask", *arguments, stdout=out)
    return out.getvalue()


def test_the_page_shows_the_plan_and_carries_it_out(shop: Shop, olga_in: Client) -> None:
    asked = olga_in.get("/copilot/", {"ask": PROMOTE})
    said = text(asked)
    assert "Plan: move fraud_detector_v2 from sandbox to canary with 25 % of live traffic." in said
    assert "POST /api/model-registry/models/fraud_detector_v2/deployment" in said
    assert stage_of("fraud_detector_v2") == "sandbox"

    done = olga_in.post("/copilot/", {"confirmation": confirmation(asked)})

    assert "fraud_detector_v2 is now in canary with 25 % of live traffic." in text(done)
    assert stage_of("fraud_detector_v2") == "canary"


def test_confirming_by_page_needs_the_csrf_token(shop: Shop, operator: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    plan = confirmation(strict.get("/copilot/", {"ask": PROMOTE}))

    answer = strict.post("/copilot/", {"confirmation": plan})

    assert answer.status_code == 403
    assert stage_of("fraud_detector_v2") == "sandbox"


def test_a_page_says_why_a_plan_no_longer_holds(shop: Shop, olga_in: Client) -> None:
    plan = confirmation(olga_in.get("/copilot/", {"ask": PROMOTE}))
    olga_in.post("/copilot/", {"confirmation": plan})

    again = olga_in.post("/copilot/", {"confirmation": plan})

    assert again.status_code == 412
    assert "has changed since this was planned" in text(again)


def test_what_is_asked_comes_back_as_text(shop: Shop, olga_in: Client) -> None:
    page = olga_in.get("/copilot/", {"ask": "<script>alert(1)</script>"})

    assert b"<script>alert" not in page.content
    assert "I did not take that for a request of mine" in text(page)


@pytest.mark.parametrize("path", ["/models/", "/incidents/", "/copilot/inbox/", "/admin/"])
def test_every_page_has_the_box(shop: Shop, sign_in: Callable[..., Client], path: str) -> None:
    page = sign_in("rita", "reviewer").get(path).content.decode()

    assert page.count('id="copilot-ask"') == 1
    assert '<form class="copilot-form" method="get" action="/copilot/"' in page


def test_the_api_asks_and_confirms(shop: Shop, api: Callable[..., APIClient]) -> None:
    client = api("operator")
    plan = client.post(API, {"ask": PROMOTE}, format="json").json()
    assert (plan["kind"], plan["blockers"]) == ("plan", [])
    assert plan["call"] == {
        "method": "POST",
        "path": "/api/model-registry/models/fraud_detector_v2/deployment",
        "body": {"status": "canary", "canary_percentage": 25.0},
    }

    body = {"confirmation": plan["confirmation"]}
    done = client.post(f"{API}/confirm", body, format="json")
    again = client.post(f"{API}/confirm", body, format="json")

    assert done.json()["says"][1] == "fraud_detector_v2 is now in canary with 25 % of live traffic."
    assert again.status_code == 412


def test_a_plan_s_call_does_the_same(shop: Shop, api: Callable[..., APIClient]) -> None:
    client = api("operator")
    call = client.post(API, {"ask": PROMOTE}, format="json").json()["call"]

    client.generic(call["method"], call["path"], json.dumps(call["body"]), "application/json")

    version = ModelVersion.objects.get(model_id="fraud_detector_v2")
    assert (version.stage, version.canary_basis_points) == ("canary", 2_500)


def test_a_token_may_no_more_here_than_elsewhere(shop: Shop, api: Callable[..., APIClient]) -> None:
    """Its user may roll back; the token is a trainer's, or bound to another model."""
    by_trainer = api("trainer", username="both")
    other = ModelFamily.objects.get(name="Churn")
    bound = api("operator", username="both", family=other)

    for client in (by_trainer, bound):
        said = client.post(API, {"ask": "roll back fraud detector"}, format="json").json()
        assert (said["kind"], said["confirmation"]) == ("refusal", None)


def test_a_plan_made_with_one_token_is_checked_against_the_confirming_one(
    shop: Shop, api: Callable[..., APIClient]
) -> None:
    may, may_not = api("operator", username="both"), api("trainer", username="both")
    plan = may.post(API, {"ask": "roll back churn"}, format="json").json()["confirmation"]

    refused = may_not.post(f"{API}/confirm", {"confirmation": plan}, format="json")

    assert (refused.status_code, stage_of("churn_v1")) == (403, "canary")


def test_the_command_answers_plans_and_confirms(shop: Shop, operator: User) -> None:
    planned = run(PROMOTE, "--as", "olga")
    assert "Plan: move fraud_detector_v2" in planned
    assert "Nothing was changed. Add --yes to confirm." in planned
    assert stage_of("fraud_detector_v2") == "sandbox"

    done = run(PROMOTE, "--as", "olga", "--yes")

    assert "fraud_detector_v2 is now in canary with 25 % of live traffic." in done
    assert stage_of("fraud_detector_v2") == "canary"


def test_the_command_says_why_a_model_was_rolled_back(shop: Shop, operator: User) -> None:
    said = run("Why was model spam_v1 rolled back?", "--as", "olga")

    assert "Too many errors." in said
    assert "GET /api/model-registry/models/spam_v1" in said


def test_yes_confirms_no_name_that_was_only_alike(shop: Shop, operator: User) -> None:
    with pytest.raises(CommandError, match="exactly"):
        run("promote fraud detectr to canary", "--as", "olga", "--yes")

    assert stage_of("fraud_detector_v2") == "sandbox"


@pytest.mark.parametrize(
    "said", ["promote zzyzx to canary", "roll back flight delay", "promote churn to production"]
)
def test_the_command_fails_where_nothing_comes_of_it(shop: Shop, operator: User, said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(said, "--as", "olga", "--yes")

    assert ended.value.code == 1


def test_the_command_asks_as_the_local_user(shop: Shop) -> None:
    assert "fraud_detector_v1" in run("list", "models")
    with pytest.raises(CommandError, match="no active user 'nobody'"):
        run("help", "--as", "nobody")
