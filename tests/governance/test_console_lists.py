"""The lists of the console: read-only, a fixed number of queries, decisions asked for first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from governance import gates, reviews
from governance.models import Approval, Check, CheckResult
from registry import tokens
from registry.ledger import events
from registry.models import (
    ApiToken,
    Attestation,
    Delivery,
    DeliveryState,
    DeploymentStage,
    Event,
    ModelFamily,
    ModelVersion,
    StageTransition,
)
from tests.governance.makers import settle_both, write_result

pytestmark = pytest.mark.django_db

LISTS = {
    "governance/review": 13,
    "governance/checkresult": 9,
    "governance/approval": 10,
    "registry/attestation": 10,
    "registry/stagetransition": 10,
    "registry/event": 10,
    "registry/delivery": 9,
    "registry/modelfamily": 10,
    "registry/apitoken": 10,
}


@pytest.fixture
def furnished(
    make_version: Callable[..., ModelVersion], ada: User, trainer: User
) -> list[ModelVersion]:
    """Several rows of everything the console lists."""
    versions = [make_version("sandbox") for _ in range(4)]
    for version in versions:
        settle_both(version, ada)
        gates.attest(version, DeploymentStage.CANARY, now=timezone.now())
        event = reviews.request_review(version, requester=trainer)
        Delivery.objects.create(event=event, subscriber="x", state=DeliveryState.PARKED)
        tokens.issue("tom", role="trainer", family=version.family)
    return versions


def admin(path: str) -> str:
    return f"/admin/{path}/"


@pytest.mark.parametrize("path", LISTS)
def test_a_list_takes_a_fixed_number_of_queries(
    furnished: list[ModelVersion],
    ada_in: Client,
    django_assert_num_queries: Callable[..., Any],
    path: str,
) -> None:
    with django_assert_num_queries(LISTS[path]):
        answer = ada_in.get(admin(path))

    assert answer.status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_nothing_is_added_or_deleted_raw(
    furnished: list[ModelVersion], ada_in: Client, path: str
) -> None:
    User.objects.filter(username="ada").update(is_superuser=True)
    is_token, before = path == "registry/apitoken", len(ROWS[path]())

    added = ada_in.get(f"{admin(path)}add/")
    acted = ada_in.post(admin(path), {"action": "delete_selected", "_selected_action": ["1"]})

    assert added.status_code == (200 if is_token else 404 if "review" in path else 403)
    assert "delete_selected" not in acted.content.decode()
    assert len(ROWS[path]()) == before


@pytest.mark.parametrize("path", [p for p in LISTS if p != "governance/review"])
def test_a_row_can_be_read_and_not_changed(
    furnished: list[ModelVersion], ada_in: Client, path: str
) -> None:
    first = next(iter(ROWS[path]()))
    address = f"{admin(path)}{first.pk}/change/"

    read = ada_in.get(address)
    changed = ada_in.post(address, {"_save": "Save"})

    assert read.status_code == 200
    assert 'name="_save"' not in read.content.decode()
    assert changed.status_code == 403


ROWS: dict[str, Callable[[], Any]] = {
    "governance/review": lambda: ModelVersion.objects.all(),
    "governance/checkresult": lambda: CheckResult.objects.all(),
    "governance/approval": lambda: Approval.objects.all(),
    "registry/attestation": lambda: Attestation.objects.all(),
    "registry/stagetransition": lambda: StageTransition.objects.all(),
    "registry/event": lambda: Event.objects.all(),
    "registry/delivery": lambda: Delivery.objects.all(),
    "registry/modelfamily": lambda: ModelFamily.objects.all(),
    "registry/apitoken": lambda: ApiToken.objects.all(),
}


def test_a_row_does_not_show_what_opens_doors(
    furnished: list[ModelVersion], ada_in: Client
) -> None:
    token = ApiToken.objects.all()[0]

    page = ada_in.get(f"/admin/registry/apitoken/{token.pk}/change/").content.decode()

    assert token.digest not in page


def order_of(page: str, versions: list[ModelVersion]) -> list[str]:
    return sorted((v.model_id for v in versions), key=lambda name: page.index(f">{name}<"))


def test_what_waits_for_a_reviewer_comes_first(
    make_version: Callable[..., ModelVersion], ada: User, trainer: User, ada_in: Client
) -> None:
    asked, settled, archived, fresh = (
        make_version("sandbox"),
        make_version("sandbox"),
        make_version("archived"),
        make_version("sandbox"),
    )
    settle_both(settled, ada)
    reviews.request_review(asked, requester=trainer)

    page = ada_in.get("/admin/governance/review/").content.decode()

    assert order_of(page, [asked, settled, archived, fresh]) == [
        asked.model_id,
        fresh.model_id,
        archived.model_id,
        settled.model_id,
    ]


def test_an_answered_request_waits_no_more(
    version: ModelVersion, ada: User, trainer: User, ada_in: Client
) -> None:
    reviews.request_review(version, requester=trainer)
    before = ada_in.get("/admin/governance/review/").content.decode()
    write_result(version, Check.BIAS, ada, settled_at=timezone.now() + timedelta(seconds=1))

    after = ada_in.get("/admin/governance/review/").content.decode()

    assert 'class="field-asked"><time' in before
    assert 'class="field-asked"><time' not in after


def test_the_list_shows_stage_tier_and_flags(
    version: ModelVersion, ada: User, ada_in: Client
) -> None:
    settle_both(version, ada)

    page = ada_in.get("/admin/governance/review/").content.decode()

    assert '<span class="stage sandbox">sandbox</span>' in page
    assert "Constitutional compliance passed" in page
    assert "Bias passed" in page
    assert f'href="/admin/governance/review/{version.model_id}/"' in page


@pytest.mark.parametrize("query", ["stage=canary", "family__risk_tier=high", "q=nothing-like-it"])
def test_the_list_can_be_narrowed(version: ModelVersion, ada_in: Client, query: str) -> None:
    page = ada_in.get(f"/admin/governance/review/?{query}").content.decode()

    assert version.model_id not in page


def decide(client: Client, address: str, **data: str) -> Any:
    return client.post(address, data)


def test_an_attestation_is_revoked_once_it_was_asked(
    version: ModelVersion, ada: User, ada_in: Client
) -> None:
    settle_both(version, ada)
    attestation = gates.attest(version, DeploymentStage.CANARY, now=timezone.now())
    address = f"/admin/registry/attestation/{attestation.pk}/revoke/"

    asked = ada_in.get(address)
    attestation.refresh_from_db()
    before = attestation.revoked_at
    without = decide(ada_in, address)
    done = decide(ada_in, address, reason="The data set was wrong.")

    attestation.refresh_from_db()
    assert "no rollback will restore it there" in asked.content.decode()
    assert before is None
    assert (without.status_code, done.status_code) == (400, 302)
    assert attestation.revoked_at is not None
    assert str(Event.objects.get(event_type="attestation.revoked").remark) == (
        "The data set was wrong."
    )
    assert "Revoke…" not in ada_in.get("/admin/registry/attestation/").content.decode()


def test_revoking_says_that_serving_goes_on(
    make_version: Callable[..., ModelVersion], ada_in: Client
) -> None:
    version = make_version("canary")
    attestation = Attestation.objects.get(version=version)

    page = ada_in.get(f"/admin/registry/attestation/{attestation.pk}/revoke/").content.decode()

    assert "is in canary now and stays there until it is rolled back" in page


def test_only_reviewers_and_administrators_revoke(
    make_version: Callable[..., ModelVersion], sign_in: Callable[..., Client]
) -> None:
    attestation = Attestation.objects.get(version=make_version("canary"))

    answer = decide(
        sign_in("olga", "operator"),
        f"/admin/registry/attestation/{attestation.pk}/revoke/",
        reason="No.",
    )

    attestation.refresh_from_db()
    assert answer.status_code == 403
    assert attestation.revoked_at is None


def test_ones_own_approval_is_withdrawn_here(
    version: ModelVersion, ada: User, ada_in: Client, sign_in: Callable[..., Client]
) -> None:
    settle_both(version, ada)
    address = f"/admin/governance/approval/{Approval.objects.get().pk}/withdraw/"

    asked = ada_in.get(address).content.decode()
    refused = decide(sign_in("rob", "risk_officer"), address, reason="No.")
    done = decide(ada_in, address, reason="I was mistaken.")

    assert "will open no further gate" in asked
    assert (refused.status_code, done.status_code) == (403, 302)
    assert Approval.objects.get().withdrawn_at is not None


def test_a_parked_delivery_is_tried_again(
    version: ModelVersion, sign_in: Callable[..., Client]
) -> None:
    event = events.record("something.happened", actor="user:1", subject=version)
    parked = Delivery.objects.create(
        event=event, subscriber="x", state=DeliveryState.PARKED, attempts=10, last_error="Broken."
    )
    client = sign_in("olga", "operator")
    address = f"/admin/registry/delivery/{parked.pk}/retry/"

    asked = client.get(address).content.decode()
    decide(client, address)

    parked.refresh_from_db()
    assert "Broken." in asked
    assert (parked.state, parked.attempts) == (DeliveryState.OWED, 0)


def test_a_token_is_issued_once_and_shown_once(db: None, sign_in: Callable[..., Client]) -> None:
    client = sign_in("root", is_superuser=True)

    answer = client.post(
        "/admin/registry/apitoken/add/", {"username": "job", "role": "trainer", "team": "fraud"}
    )

    issued = ApiToken.objects.get(user__username="job")
    page = answer.content.decode()
    token = page.split('<code id="token">')[1].split("<")[0]
    assert tokens.find(token, now=timezone.now()) == issued
    assert (issued.role, issued.team) == ("trainer", "fraud")
    assert "no-store" in answer.headers["Cache-Control"]
    assert token not in client.get("/admin/registry/apitoken/").content.decode()


@pytest.mark.parametrize(
    "fields", [{"username": ""}, {"role": "king"}, {"username": "no spaces please"}]
)
def test_a_token_for_nobody_is_not_issued(
    db: None, sign_in: Callable[..., Client], fields: dict[str, str]
) -> None:
    answer = sign_in("root", is_superuser=True).post(
        "/admin/registry/apitoken/add/", {"username": "job", "role": "trainer"} | fields
    )

    assert answer.status_code == 400
    assert not ApiToken.objects.exists()


def test_a_serving_token_is_issued_for_the_model_it_names(
    version: ModelVersion, sign_in: Callable[..., Client]
) -> None:
    client, add = sign_in("root", is_superuser=True), "/admin/registry/apitoken/add/"
    asked = {"username": "job", "role": "serving", "team": version.family.team}

    refused = client.post(add, asked)
    issued = client.post(add, asked | {"family": str(version.family_id)})

    assert (refused.status_code, issued.status_code) == (400, 200)
    assert "reports on one model and has to name it" in refused.content.decode()
    assert ApiToken.objects.get().family == version.family


def test_only_administrators_issue_tokens(ada: User, ada_in: Client) -> None:
    answer = ada_in.post("/admin/registry/apitoken/add/", {"username": "ada", "role": "operator"})

    assert answer.status_code == 403
    assert not ApiToken.objects.exists()


def test_a_revoked_token_opens_nothing(db: None, sign_in: Callable[..., Client]) -> None:
    token = tokens.issue("job", role="trainer")
    row = ApiToken.objects.get()
    client = sign_in("root", is_superuser=True)

    asked = client.get(f"/admin/registry/apitoken/{row.pk}/revoke/").content.decode()
    decide(client, f"/admin/registry/apitoken/{row.pk}/revoke/")

    row.refresh_from_db()
    assert "is refused from now on" in asked
    first = row.revoked_at
    tokens.revoke(row, now=timezone.now())
    row.refresh_from_db()
    assert tokens.find(token, now=timezone.now()) is None
    assert row.revoked_at == first


def test_nobody_revokes_anothers_token(db: None, ada_in: Client) -> None:
    tokens.issue("job", role="trainer")

    answer = decide(ada_in, f"/admin/registry/apitoken/{ApiToken.objects.get().pk}/revoke/")

    assert answer.status_code == 403
    assert ApiToken.objects.get().revoked_at is None
