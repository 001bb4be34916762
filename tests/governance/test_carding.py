"""Cards as rows: by revision, from what is true now, with the names people go by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from governance import carding, pages
from governance.models import ModelCard
from monitoring.models import Evaluation
from registry import registration
from registry.models import Event, ModelVersion
from tests.governance.makers import settle_both

pytestmark = pytest.mark.django_db


def generate(version: ModelVersion) -> ModelCard:
    return carding.generate(version, actor="user:1")


def test_the_first_card_is_revision_one_and_on_record(version: ModelVersion) -> None:
    card = generate(version)

    event = Event.objects.get(event_type="model.card.generated")
    assert card.revision == 1
    assert event.payload["revision"] == 1
    assert event.payload["content_sha256"] == card.content_sha256
    assert str(card) == f"card 1 of {version}"


def test_the_same_facts_are_the_same_card(version: ModelVersion) -> None:
    assert generate(version) == generate(version)
    assert Event.objects.filter(event_type="model.card.generated").count() == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda version, ada, evaluate: settle_both(version, ada),
        lambda version, ada, evaluate: evaluate(version),
        lambda version, ada, evaluate: registration.amend(
            version, {"description": "Better words."}, actor="user:1"
        ),
        lambda version, ada, evaluate: registration.amend(
            version, {"metadata": {"intended_use": "Cards only."}}, actor="user:1"
        ),
    ],
    ids=["review", "evaluation", "description", "use"],
)
def test_a_new_fact_is_a_new_revision(
    version: ModelVersion, ada: User, evaluate: Callable[..., Evaluation], change: Any
) -> None:
    first = generate(version)

    change(version, ada, evaluate)
    second = generate(version)

    assert (first.revision, second.revision) == (1, 2)
    assert ModelCard.objects.get(pk=first.pk).content == first.content


def test_the_card_holds_the_facts(
    make_version: Callable[..., ModelVersion],
    ada: User,
    evaluate: Callable[..., Evaluation],
) -> None:
    version = make_version(
        "canary",
        description="Finds fraud.",
        training_data_hash="abc123",
        evaluation_metrics={"accuracy": 0.83},
    )
    evaluate(version)
    settle_both(version, ada)

    content = generate(version).content

    assert content["model"]["model_id"] == version.model_id
    assert content["intended_use"]["description"] == "Finds fraud."
    assert content["training_data"]["hash"] == "abc123"
    assert content["artifact"]["basis"] == "measured"
    assert content["metrics"][0] == {"name": "accuracy", "declared": 0.83, "measured": 0.82}
    assert content["evaluation"]["evidence_digest"] == "e" * 64
    assert content["governance"]["approvals"][0]["state"] == "stands"
    assert content["deployment"]["canary_percentage"] == 10.0


def test_names_are_put_in_where_the_card_is_read(version: ModelVersion, ada: User) -> None:
    settle_both(version, ada)
    card = generate(version)

    before = carding.markdown(card)
    User.objects.filter(pk=ada.pk).update(username="erased-7")

    assert "ada" not in str(card.content["governance"])
    assert "| ada | reviewer |" in before
    assert "| erased-7 | reviewer |" in carding.markdown(card)


def test_the_page_shows_the_card(version: ModelVersion, ada_in: Client) -> None:
    generate(version)

    latest = ada_in.get(f"/models/{version.model_id}/card/", follow=True)

    page = latest.content.decode()
    assert latest.redirect_chain == [(f"/models/{version.model_id}/card/1/", 302)]
    assert "<h1>Fraud Detector 1.0.0</h1>" in page
    assert "<table>" in page


def test_the_page_offers_the_first_card_and_makes_it(version: ModelVersion, ada_in: Client) -> None:
    offered = ada_in.get(f"/models/{version.model_id}/card/").content.decode()
    made = ada_in.post(f"/models/{version.model_id}/card/")

    assert f'method="post" action="/models/{version.model_id}/card/"' in offered
    assert made.headers["Location"] == f"/models/{version.model_id}/card/1/"
    assert ModelCard.objects.get().generated_by == f"user:{User.objects.get(username='ada').pk}"


def test_older_revisions_stay(version: ModelVersion, ada: User, ada_in: Client) -> None:
    generate(version)
    settle_both(version, ada)
    generate(version)

    first = ada_in.get(f"/models/{version.model_id}/card/1/").content.decode()

    assert f'href="/models/{version.model_id}/card/2/"' in first
    assert "approved by" not in first
    assert ada_in.get(f"/models/{version.model_id}/card/3/").status_code == 404


def test_who_may_only_read_makes_no_card(
    version: ModelVersion, sign_in: Callable[..., Client]
) -> None:
    answer = sign_in("s", "serving").post(f"/models/{version.model_id}/card/")

    assert answer.status_code == 403
    assert not ModelCard.objects.exists()


def test_the_models_page_shows_how_its_review_stands(
    version: ModelVersion, ada: User, ada_in: Client
) -> None:
    before = ada_in.get(f"/models/{version.model_id}/").content.decode()
    settle_both(version, ada)
    generate(version)

    after = ada_in.get(f"/models/{version.model_id}/").content.decode()

    assert "The bias check is not settled" in before
    assert "The bias check is not settled" not in after
    assert "Both checks pass" in after
    assert f'href="/models/{version.model_id}/card/1/"' in after


def test_only_signatures_that_stand_are_shown_there(
    version: ModelVersion, ada: User, upload: Callable[..., Any]
) -> None:
    settle_both(version, ada)
    before = pages.review_part(version, ada).context["approvals"]

    upload(version)

    assert [approval.approver for approval in before] == [ada]
    assert pages.review_part(version, ada).context["approvals"] == []
