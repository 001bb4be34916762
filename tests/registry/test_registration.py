"""Many versions are registered like one: all of them, or none."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from registry import families, registration
from registry.errors import Conflict, DuplicateModel, Unprocessable
from registry.models import Event, ModelFamily, ModelVersion, RiskTier, Stakeholder

pytestmark = pytest.mark.django_db


def entry(model_id: str, *, name: str = "Fraud", **fields: Any) -> registration.Entry:
    defaults: dict[str, Any] = {
        "version": model_id,
        "framework": "sklearn",
        "model_type": "classification",
        "owner": "ml_team",
        "team": "fraud",
    }
    return registration.Entry(model_id=model_id, name=name, **defaults | fields)


def test_many_get_what_one_gets(trainer: User) -> None:
    made = registration.register_all(
        [
            entry("a", tags={"nlp": ""}),
            entry("b", name="Spam", former_owners=["old_team"]),
            entry("c", number=7),
            entry("d"),
        ],
        registrant=trainer,
    )

    assert [(v.family.name, v.number) for v in made] == [
        ("Fraud", 1),
        ("Spam", 1),
        ("Fraud", 7),
        ("Fraud", 8),
    ]
    assert dict(ModelFamily.objects.values_list("name", "last_number")) == {"Fraud": 8, "Spam": 1}
    assert [tag.key for tag in made[0].tags.all()] == ["nlp"]
    for version in made:
        assert registration.is_own_person(version, trainer)
        assert version.transitions.get().to_stage == version.stage == "development"
        event = Event.objects.get(version=version)
        assert (event.event_type, event.payload["model_id"]) == (
            "model.registered",
            version.model_id,
        )
        assert event.payload["transition_id"] == version.transitions.get().pk
    names = Stakeholder.objects.filter(version=made[1], user=None).values_list("name", flat=True)
    assert set(names) == {"ml_team", "old_team"}


@pytest.mark.parametrize(
    ("wrong", "refusal", "words"),
    [
        ({"model_id": "there"}, DuplicateModel, "there is registered already"),
        ({"model_id": "a"}, DuplicateModel, "a is registered already"),
        ({"version": "there"}, DuplicateModel, "has a version there already: there"),
        ({"version": "a"}, DuplicateModel, "has a version a already: a"),
        ({"number": 1}, Unprocessable, "has given its numbers up to 2"),
        ({"risk_tier": RiskTier.HIGH}, Unprocessable, "is of tier medium"),
    ],
)
def test_one_that_cannot_be_refuses_all(
    trainer: User, wrong: dict[str, Any], refusal: type[Exception], words: str
) -> None:
    registration.register(entry("there"), registrant=trainer)
    events = Event.objects.count()

    with pytest.raises(refusal, match=words), transaction.atomic():
        registration.register_all(
            [entry("a"), entry(**{"model_id": "b"} | wrong)], registrant=trainer
        )

    assert list(ModelVersion.objects.values_list("model_id", flat=True)) == ["there"]
    assert ModelFamily.objects.get().last_number == 1
    assert Event.objects.count() == events


def test_many_take_as_many_statements_as_one(trainer: User) -> None:
    counts = []
    for count in (1, 50):
        entries = [entry(f"{count}-{n}", tags={"a": ""}) for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            registration.register_all(entries, registrant=trainer)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_registered_model_may_be_there_before_its_versions(trainer: User) -> None:
    families.found("Fraud", owner="lead", team="fraud", actor="user:1", risk_tier=RiskTier.LOW)

    version = registration.register(entry("a"), registrant=trainer)

    assert (version.family.owner, version.family.risk_tier) == ("lead", "low")
    assert Event.objects.get(event_type="model.founded").payload == {"family": "Fraud"}
    owners = version.stakeholders.filter(user=None).values_list("name", flat=True)
    assert set(owners) == {"lead", "ml_team"}


def test_a_registered_model_is_made_once() -> None:
    families.found("Fraud", owner="lead", team="fraud", actor="user:1")

    with pytest.raises(Conflict, match="There is a registered model 'Fraud' already"):
        families.found("Fraud", owner="other", team="fraud", actor="user:1")
