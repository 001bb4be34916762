"""Governance over HTTP: promote, amend and settle, ask for a review, generate a card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.models import Approval, CheckResult
from monitoring.models import Evaluation
from registry import registration
from registry.models import Event, ModelVersion, Part, RiskTier, StageTransition
from tests.governance.makers import record_traffic, settle_both

pytestmark = pytest.mark.django_db

Clients = Callable[..., APIClient]


def url(version: ModelVersion, tail: str = "") -> str:
    return f"/api/model-registry/models/{version.model_id}{tail}"


def patch(client: APIClient, address: str, body: Any, **headers: str) -> Any:
    return client.patch(address, body, format="json", headers=headers)


def flags(is_pass: bool) -> dict[str, Any]:
    return {"metadata": {"constitutional_compliance": is_pass, "bias_check_passed": is_pass}}


# Deployment


def test_a_promotion_answers_in_the_seeds_shape(
    make_version: Callable[..., ModelVersion], api: Clients
) -> None:
    version = make_version()

    answer = patch(api("operator"), url(version, "/deployment"), {"status": "sandbox"})

    transition = StageTransition.objects.latest("pk")
    assert answer.status_code == 200
    assert answer.json() == {
        "model_id": version.model_id,
        "status": "sandbox",
        "previous_status": "development",
        "canary_percentage": None,
        "transition_id": transition.pk,
        "warnings": [],
    }


def test_post_is_a_synonym_of_patch(version: ModelVersion, ada: User, api: Clients) -> None:
    settle_both(version, ada)

    answer = api("operator").post(
        url(version, "/deployment"),
        {"status": "canary", "canary_percentage": 12.5},
        format="json",
    )

    assert answer.status_code == 200
    assert answer.json()["canary_percentage"] == 12.5


def test_a_closed_gate_is_a_problem_that_names_every_blocker(
    version: ModelVersion, api: Clients
) -> None:
    answer = patch(api("operator"), url(version, "/deployment"), {"status": "canary"})

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "/problems/promotion-blocked")
    assert len(problem["blockers"]) == 3
    version.refresh_from_db()
    assert version.stage == "sandbox"


def test_a_skipped_stage_is_refused_and_the_open_ones_are_named(
    version: ModelVersion, api: Clients
) -> None:
    answer = patch(api("operator"), url(version, "/deployment"), {"status": "production"})

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/transition-refused"
    assert "it may move to canary or" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/status"),
        ({"status": "live"}, "/status"),
        ({"status": 1}, "/status"),
        ({"status": None}, "/status"),
        ({"status": "canary", "canary_percentage": 0}, "/canary_percentage"),
        ({"status": "canary", "canary_percentage": 100}, "/canary_percentage"),
        ({"status": "canary", "canary_percentage": -5}, "/canary_percentage"),
        ({"status": "canary", "canary_percentage": "10"}, "/canary_percentage"),
        ({"status": "canary", "canary_percentage": True}, "/canary_percentage"),
        ({"status": "canary", "canary_percentage": 0.001}, "/canary_percentage"),
        ({"status": "development", "canary_percentage": 10}, "/canary_percentage"),
        ({"status": "canary", "percentage": 10}, "/percentage"),
        ({"status": "canary", "reason": 7}, "/reason"),
    ],
)
def test_bad_input_is_named_by_its_field_and_changes_nothing(
    version: ModelVersion, api: Clients, body: dict[str, Any], pointer: str
) -> None:
    answer = patch(api("operator"), url(version, "/deployment"), body)

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    version.refresh_from_db()
    assert version.stage == "sandbox"


def test_a_body_that_is_no_object_is_refused(version: ModelVersion, api: Clients) -> None:
    assert patch(api("operator"), url(version, "/deployment"), []).status_code == 400


def test_rolling_back_needs_the_scope_for_it(
    make_version: Callable[..., ModelVersion], api: Clients
) -> None:
    version = make_version("production")

    refused = patch(api("trainer"), url(version, "/deployment"), {"status": "rollback"})
    done = patch(api("operator"), url(version, "/deployment"), {"status": "rollback"})

    assert refused.status_code == 403
    assert "rollbacks:write" in refused.json()["detail"]
    assert (done.status_code, done.json()["status"]) == (200, "rollback")


def test_entering_production_first_warns(
    make_version: Callable[..., ModelVersion], ada: User, api: Clients
) -> None:
    version = make_version("canary")
    settle_both(version, ada)
    record_traffic(version)

    answer = patch(api("operator"), url(version, "/deployment"), {"status": "production"})

    assert answer.status_code == 200
    assert "no version to hand back to" in answer.json()["warnings"][0]


def test_an_unknown_model_is_404(db: None, api: Clients) -> None:
    client = api("operator")

    answer = patch(client, "/api/model-registry/models/nobody/deployment", {"status": "sandbox"})

    assert answer.status_code == 404


def test_without_a_token_nothing_moves(version: ModelVersion, api: Clients) -> None:
    answer = patch(api(), url(version, "/deployment"), {"status": "development"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_serving_token_may_not_promote(version: ModelVersion, api: Clients) -> None:
    answer = patch(api("serving"), url(version, "/deployment"), {"status": "development"})

    assert answer.status_code == 403


def test_a_token_of_another_team_does_not_reach_it(version: ModelVersion, api: Clients) -> None:
    client = api("trainer", team="search")

    answer = patch(client, url(version, "/deployment"), {"status": "development"})

    assert answer.status_code == 403
    assert "bound to the team 'search'" in answer.json()["detail"]


# Amending and settling


def test_the_seeds_flags_settle_both_checks_and_approve(
    version: ModelVersion, api: Clients
) -> None:
    answer = patch(api("reviewer", username="ada"), url(version), flags(True))

    entry = answer.json()
    assert answer.status_code == 200
    assert (entry["constitutional_compliance"], entry["bias_check_passed"]) == (True, True)
    assert entry["metadata"] == {}
    assert Approval.objects.get().approver.username == "ada"


def test_false_settles_as_failed(version: ModelVersion, api: Clients) -> None:
    answer = patch(api("reviewer"), url(version), flags(False))

    assert answer.status_code == 200
    assert {result.verdict for result in CheckResult.objects.all()} == {"fail"}
    assert not Approval.objects.exists()


@pytest.mark.parametrize("value", ["true", 1, 0, None, [True], {"passed": True}])
def test_a_flag_is_true_or_false_and_nothing_else(
    version: ModelVersion, api: Clients, value: Any
) -> None:
    body = {"metadata": {"bias_check_passed": value}}

    answer = patch(api("reviewer"), url(version), body)

    assert answer.status_code == 400
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/metadata/bias_check_passed"]
    assert not CheckResult.objects.exists()


@pytest.mark.parametrize("role", ["trainer", "operator"])
def test_who_is_no_reviewer_is_refused_with_the_remedy(
    version: ModelVersion, api: Clients, role: str
) -> None:
    answer = patch(api(role, username="tom"), url(version), flags(True))

    assert answer.status_code == 403
    assert "review:sign" in answer.json()["detail"]
    assert "role reviewer or risk_officer" in answer.json()["detail"]
    assert not CheckResult.objects.exists()


def test_a_reviewer_among_the_models_own_people_is_refused(
    version: ModelVersion, rob: User, api: Clients
) -> None:
    client = api("reviewer", username="ada")
    registration.join(version, Part.OWNER, name="ada")

    answer = patch(client, url(version), flags(True))

    assert answer.status_code == 403
    assert "one of its own people (owner). These may: rob." in answer.json()["detail"]


def test_at_tier_high_flags_are_settled_in_the_console_only(
    version: ModelVersion, tier: Callable[[RiskTier], None], api: Clients
) -> None:
    tier(RiskTier.HIGH)

    answer = patch(api("reviewer"), url(version), flags(True))

    assert answer.status_code == 403
    assert "/admin/governance/review/" in answer.json()["detail"]


def test_other_keys_are_stored_as_given(version: ModelVersion, api: Clients) -> None:
    answer = patch(api("trainer"), url(version), {"metadata": {"notebook": "a.ipynb", "n": 1.5}})

    assert answer.status_code == 200
    assert answer.json()["metadata"] == {"notebook": "a.ipynb", "n": 1.5}


def test_everything_declared_can_be_amended(version: ModelVersion, api: Clients) -> None:
    changes = {
        "description": "Finds fraud.\nIn cards.",
        "tags": ["nlp", "transformer"],
        "expected_latency_p95_ms": 40,
        "owner": "carol",
    }

    entry = patch(api("trainer"), url(version), changes).json()

    assert entry["description"] == "Finds fraud.\nIn cards."
    assert entry["tags"] == {"nlp": "", "transformer": ""}
    assert (entry["expected_latency_p95_ms"], entry["owner"]) == (40.0, "carol")


def test_a_reviewer_may_not_amend_what_is_declared(version: ModelVersion, api: Clients) -> None:
    answer = patch(api("reviewer"), url(version), {"description": "Mine now."})

    assert answer.status_code == 403
    assert "models:write" in answer.json()["detail"]


def test_declared_and_settled_change_together_or_not_at_all(
    version: ModelVersion, api: Clients, user_with: Callable[..., User]
) -> None:
    user_with("trainer", username="ada")
    client = api("reviewer", username="ada")
    registration.join(version, Part.OWNER, name="ada")

    answer = patch(client, url(version), {"description": "New.", **flags(True)})

    version.refresh_from_db()
    assert answer.status_code == 403
    assert version.description == ""
    assert not Event.objects.filter(event_type="model.amended").exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"stage": "production"}, "/stage"),
        ({"metadata": []}, "/metadata"),
        ({"description": 5}, "/description"),
        ({"expected_latency_p95_ms": -1}, "/expected_latency_p95_ms"),
        ({"expected_latency_p95_ms": True}, "/expected_latency_p95_ms"),
        ({"owner": ""}, "/owner"),
        ({"tags": {"a": 1}}, "/tags"),
    ],
)
def test_a_bad_amendment_is_named_by_its_field(
    version: ModelVersion, api: Clients, body: dict[str, Any], pointer: str
) -> None:
    answer = patch(api("trainer"), url(version), body)

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_an_entry_read_before_a_change_cannot_be_amended(
    version: ModelVersion, api: Clients
) -> None:
    client = api("trainer")
    etag = client.get(url(version)).headers["ETag"]
    first = patch(client, url(version), {"description": "One."}, **{"If-Match": etag})

    second = patch(client, url(version), {"description": "Two."}, **{"If-Match": etag})

    version.refresh_from_db()
    assert (first.status_code, second.status_code) == (200, 412)
    assert first.headers["ETag"] != etag
    assert version.description == "One."


# Asking for a review


def test_asking_for_a_review_tells_when_it_was_asked(version: ModelVersion, api: Clients) -> None:
    answer = api("trainer", username="tom").post(
        url(version, "/review-request"), {"note": "Please."}, format="json"
    )

    event = Event.objects.get(event_type="model.review.requested")
    assert answer.status_code == 201
    assert set(answer.json()) == {"model_id", "requested_at"}
    assert str(event.remark) == "Please."
    assert version.stakeholders.filter(user__username="tom", part=Part.REQUESTER).exists()


def test_a_review_can_be_asked_for_without_a_word(version: ModelVersion, api: Clients) -> None:
    assert api("trainer").post(url(version, "/review-request")).status_code == 201


# Cards


def test_a_generated_card_comes_as_data_and_as_markdown(
    version: ModelVersion, evaluate: Callable[..., Evaluation], api: Clients
) -> None:
    evaluate(version)

    answer = api("trainer").post(url(version, "/generate-card"))

    card = answer.json()
    assert answer.status_code == 201
    assert set(card) == {"model_id", "revision", "markdown", "json", "html_url"}
    assert (card["model_id"], card["revision"]) == (version.model_id, 1)
    assert card["markdown"].startswith("# Fraud Detector 1.0.0\n")
    assert card["json"]["bias"]["verdict"] == "pass"
    assert card["html_url"] == f"/models/{version.model_id}/card/1/"


def test_the_same_facts_make_no_new_revision(version: ModelVersion, api: Clients) -> None:
    client = api("trainer")

    revisions = [client.post(url(version, "/generate-card")).json()["revision"] for _ in range(2)]

    assert revisions == [1, 1]


def test_a_card_takes_no_fields(version: ModelVersion, api: Clients) -> None:
    answer = api("trainer").post(url(version, "/generate-card"), {"style": "long"}, format="json")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/style"


@pytest.mark.parametrize("tail", ["/deployment", "/generate-card", "/review-request"])
def test_other_methods_are_not_allowed(version: ModelVersion, api: Clients, tail: str) -> None:
    assert api("operator").delete(url(version, tail)).status_code == 405
