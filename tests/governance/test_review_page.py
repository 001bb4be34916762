"""The review page: the evidence, two ticks, one signature, and who may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from governance.models import Approval, Check, CheckResult, Scope
from monitoring.models import Evaluation
from registry import registration
from registry.models import ModelVersion, Part, RiskTier
from tests.governance.makers import PASSWORD, approve_high, settle_both
from tests.governance.results import results

pytestmark = pytest.mark.django_db

SIGNED = {
    "constitutional_compliance": "pass",
    "bias": "pass",
    "note": "Read the cohort report.",
    "printed_name": "Ada Lovelace",
    "meaning": "I approve it.",
    "scope": "",
    "password": PASSWORD,
}


def url(version: ModelVersion) -> str:
    return f"/admin/governance/review/{version.model_id}/"


def post(client: Client, version: ModelVersion, **changes: str) -> Any:
    return client.post(url(version), SIGNED | changes)


def test_the_page_shows_what_is_declared_and_what_is_measured(
    version: ModelVersion, evaluate: Callable[..., Evaluation], ada_in: Client
) -> None:
    evaluate(version)

    page = ada_in.get(url(version)).content.decode()

    assert "Measured by Assay" in page
    assert "Two or more" in page
    assert "0.650–0.731" in page
    assert "No description of the model or its use was declared." in page
    assert "safetensors: loading it runs no code" in page
    assert "declared" in page


def test_the_page_says_where_it_was_measured_and_that_memory_ran_out(
    version: ModelVersion, evaluate: Callable[..., Evaluation], ada_in: Client
) -> None:
    where = {"device": "cuda", "device_name": "NVIDIA L4", "torch": "2.13.0", "cuda": "13.0"}
    evaluate(
        version,
        results=results()
        | {"environment": where, "memory": {"gpu_memory_mb": 812.3}}
        | {"batch_size": 256, "batch_size_asked": 1024},
    )

    page = ada_in.get(url(version)).content.decode()

    assert "Measured on NVIDIA L4 (cuda): torch 2.13.0, CUDA 13.0." in page
    assert "At most 812 MB of GPU memory were in use." in page
    assert "Memory ran out: batches of 1,024 rows were halved to 256" in page


def test_the_page_has_the_documented_fields(version: ModelVersion, ada_in: Client) -> None:
    page = ada_in.get(url(version)).content.decode()

    for name in ("csrfmiddlewaretoken", *SIGNED):
        if name != "scope":
            assert f'name="{name}"' in page, name
    assert f'action="{url(version)}"' in page


def test_at_tier_high_the_page_asks_for_the_stage_and_offers_the_next(
    version: ModelVersion, tier: Callable[[RiskTier], None], ada_in: Client
) -> None:
    tier(RiskTier.HIGH)

    page = ada_in.get(url(version)).content.decode()

    assert 'name="scope"' in page
    assert '<option value="canary" selected>' in page


def test_two_ticks_and_a_signature_approve(version: ModelVersion, ada_in: Client) -> None:
    answer = post(ada_in, version)

    approval = Approval.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, url(version))
    assert (approval.printed_name, approval.meaning) == ("Ada Lovelace", "I approve it.")
    assert str(approval.remark) == "Read the cohort report."
    assert CheckResult.objects.filter(verdict="pass").count() == 2
    assert "You approved" in ada_in.get(url(version)).content.decode()


@pytest.mark.parametrize("verdict", ["fail", "unknown"])
def test_a_check_that_does_not_pass_is_recorded_and_nothing_is_signed(
    version: ModelVersion, ada_in: Client, verdict: str
) -> None:
    answer = post(ada_in, version, bias=verdict)

    assert answer.status_code == 302
    assert CheckResult.objects.get(check_name=Check.BIAS).verdict == verdict
    assert not Approval.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong"}, "This is not your password; nothing was signed."),
        ({"password": ""}, "This field is required."),
        ({"note": "  "}, "Not everything passes by itself: say what you rely on."),
        ({"printed_name": ""}, "This field is required."),
        ({"meaning": ""}, "This field is required."),
        ({"bias": "perhaps"}, "Select a valid choice."),
        ({"scope": "canary"}, "Select a valid choice."),
    ],
)
def test_a_form_that_does_not_hold_changes_nothing(
    version: ModelVersion, ada_in: Client, changes: dict[str, str], said: str
) -> None:
    answer = post(ada_in, version, **changes)

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not CheckResult.objects.exists()
    assert not Approval.objects.exists()


def test_the_password_is_never_sent_back(version: ModelVersion, ada_in: Client) -> None:
    answer = post(ada_in, version, note="")

    assert PASSWORD not in answer.content.decode()


def test_a_check_left_open_that_does_not_stand_cannot_be_signed(
    version: ModelVersion, ada_in: Client
) -> None:
    answer = post(ada_in, version, bias="")

    assert answer.status_code == 409
    assert "Settle the bias check too, then sign." in answer.content.decode()
    assert not CheckResult.objects.exists()


def test_a_second_signer_may_leave_checks_as_they_stand(
    version: ModelVersion,
    tier: Callable[[RiskTier], None],
    ada: User,
    sign_in: Callable[..., Client],
) -> None:
    tier(RiskTier.HIGH)
    approve_high(version, Scope.CANARY, ada)

    answer = post(
        sign_in("rob", "risk_officer"),
        version,
        constitutional_compliance="",
        bias="",
        scope="canary",
    )

    assert answer.status_code == 302
    assert [a.role for a in Approval.objects.order_by("pk")] == ["reviewer", "risk_officer"]


def test_where_everything_passes_by_itself_no_note_is_asked_for(
    make_version: Callable[..., ModelVersion],
    evaluate: Callable[..., Evaluation],
    user_with: Callable[..., User],
    ada_in: Client,
) -> None:
    user_with("trainer", username="carol")
    version = make_version(
        "sandbox",
        owner="carol",
        description="Finds fraudulent payments.",
        training_data_hash="abc123",
        evaluation_metrics={"accuracy": 0.82},
        expected_latency_p95_ms=40.0,
    )
    evaluate(version)

    page = ada_in.get(url(version)).content.decode()
    answer = post(ada_in, version, note="")

    assert page.count("Every principle passes by itself") == 2
    assert answer.status_code == 302


def test_the_models_own_people_see_the_form_disabled_with_the_reason(
    version: ModelVersion, rob: User, sign_in: Callable[..., Client]
) -> None:
    client = sign_in("carol", "reviewer")
    registration.join(version, Part.OWNER, name="carol")

    page = client.get(url(version)).content.decode()

    assert "carol is one of its own people (owner). These may: rob." in page
    assert page.count("disabled") >= 6


def test_the_models_own_people_are_refused_when_they_post_all_the_same(
    version: ModelVersion, sign_in: Callable[..., Client]
) -> None:
    client = sign_in("carol", "reviewer")
    registration.join(version, Part.OWNER, name="carol")

    answer = post(client, version)

    assert answer.status_code == 403
    assert "one of its own people (owner)" in answer.content.decode()
    assert not CheckResult.objects.exists()


def test_a_superuser_without_a_signing_role_is_refused(
    version: ModelVersion, sign_in: Callable[..., Client]
) -> None:
    client = sign_in("root", is_superuser=True)

    page = client.get(url(version)).content.decode()
    answer = post(client, version)

    assert "neither of the groups reviewer and risk_officer" in page
    assert answer.status_code == 403


def test_without_the_csrf_token_nothing_is_decided(
    version: ModelVersion, sign_in: Callable[..., Client]
) -> None:
    sign_in("ada", "reviewer")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="ada"))

    answer = strict.post(url(version), SIGNED)

    assert answer.status_code == 403
    assert not CheckResult.objects.exists()


def test_who_has_not_signed_in_is_sent_to_sign_in(version: ModelVersion, client: Client) -> None:
    answer = client.get(url(version))

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/")


def test_an_unknown_version_is_404(db: None, ada_in: Client) -> None:
    assert ada_in.get("/admin/governance/review/nobody/").status_code == 404


def test_every_blocker_of_the_next_gate_is_shown_live(
    version: ModelVersion, ada: User, ada_in: Client
) -> None:
    closed = ada_in.get(url(version)).content.decode()
    settle_both(version, ada)
    opened = ada_in.get(url(version)).content.decode()

    assert "The bias check is not settled" in closed
    assert "Nothing is in the way." in opened


def test_a_change_since_a_signature_is_named(
    version: ModelVersion, ada: User, upload: Callable[..., Any], ada_in: Client
) -> None:
    settle_both(version, ada)
    upload(version)

    page = ada_in.get(url(version)).content.decode()

    assert "since then the artifact changed" in page
    assert "of a former state" in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"state": "running", "progress": 0.4}, "A newer gate evaluation is running, 40 %"),
        (
            {"state": "failed", "error": "The data set has other features"},
            "A newer gate evaluation is failed: The data set has other features.",
        ),
    ],
)
def test_evidence_that_is_still_to_come_is_announced(
    version: ModelVersion,
    evaluate: Callable[..., Evaluation],
    ada_in: Client,
    state: dict[str, Any],
    said: str,
) -> None:
    is_open = state["state"] == "running"
    evaluate(version)
    evaluate(
        version,
        **state,
        results=None,
        evidence_digest="",
        finished_at=None if is_open else timezone.now(),
        lease_until=timezone.now() if is_open else None,
    )

    assert said in ada_in.get(url(version)).content.decode()


def test_words_of_people_are_never_markup(
    make_version: Callable[..., ModelVersion], ada_in: Client
) -> None:
    version = make_version("sandbox", description="<script>alert(1)</script>")

    page = ada_in.get(url(version)).content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


def test_a_page_takes_a_fixed_number_of_queries(
    version: ModelVersion,
    ada: User,
    rob: User,
    evaluate: Callable[..., Evaluation],
    ada_in: Client,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    evaluate(version)
    settle_both(version, ada)
    settle_both(version, rob)

    with django_assert_num_queries(26):
        ada_in.get(url(version))


def test_the_admins_own_address_of_a_version_leads_to_its_page(
    version: ModelVersion, ada_in: Client
) -> None:
    answer = ada_in.get(f"/admin/governance/review/{version.pk}/change/")

    assert answer.headers["Location"] == url(version)


def test_who_guesses_at_a_signature_waits_and_signs_nothing(
    version: ModelVersion, sign_in: Callable[..., Client], settings: Any
) -> None:
    settings.ASSAY_THROTTLE_PASSWORDS = (2, 900)
    client = sign_in(f"guesser-{uuid4()}", "reviewer")

    guesses = [post(client, version, password="guess") for _ in range(2)]
    late = post(client, version)

    assert [answer.status_code for answer in guesses] == [400, 400]
    assert late.status_code == 429
    assert 800 < int(late["Retry-After"]) <= 900
    assert "Too many wrong passwords" in late.content.decode()
    assert not Approval.objects.exists()
    assert not CheckResult.objects.exists()
