"""Export, empty database, import, export: metadata and spec come back to the byte."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from monitoring import policies
from monitoring.models import RollbackPolicy
from registry import families, lifecycle, registration
from registry.models import DeploymentStage, Event, ModelFamily, ModelVersion, RiskTier
from tests import servers
from tests.manifests import strategies
from tests.manifests.makers import contents, declared, exported, imported

registries = st.lists(
    st.tuples(
        strategies.names,
        st.sampled_from(RiskTier),
        strategies.paragraphs(),
        st.none() | strategies.policies,
        st.lists(st.tuples(strategies.lines_of(64), strategies.declarations), max_size=3),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda family: family[0],
)


@pytest.mark.django_db
@hypothesis_settings(max_examples=int(os.environ.get("ASSAY_ROUND_TRIPS", "40")))
@given(declaration=registries)
def test_whatever_is_declared_comes_back_to_the_byte(declaration: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as place, transaction.atomic():
        with transaction.atomic():
            declare(declaration)
            before = exported(Path(place) / "before")
            transaction.set_rollback(True)  # the empty database
        assert not ModelFamily.objects.exists()

        imported(Path(place) / "before", importer())
        after = exported(Path(place) / "after")

        assert declared(after) == declared(before)
        assert imported(Path(place) / "before", importer()) == []  # and there is nothing to do
        transaction.set_rollback(True)


def declare(declaration: list[Any]) -> None:
    """Enter everything by the verbs; versions also move and change hands."""
    tom = User.objects.create(username="tom the trainer")
    for name, tier, description, policy, versions in declaration:
        family = families.found(
            name, owner="ml", team="t", actor="user:1", description=description, risk_tier=tier
        )
        if policy is not None:
            policies.change(family, policy, actor="user:1")
        for number, (version, fields) in enumerate(versions):
            model_id = f"m{family.pk}.{number}"
            entry = registration.Entry(
                model_id=model_id, name=name, version=f"{number}-{version}"[:64].strip(), **fields
            )
            made = registration.register(entry, registrant=tom)
            if number == 0:
                lifecycle.move(made, to=DeploymentStage.SANDBOX, actor="user:1")
            if number == 1:
                registration.amend(made, {"owner": "somebody else"}, actor="user:1")


def importer() -> User:
    """Somebody who may register, and loosen policies."""
    user, _ = User.objects.get_or_create(username="ops the importer")
    user.groups.add(*Group.objects.filter(name__in=["trainer", "operator", "reviewer"]))
    return user


def test_the_commands_bring_a_registry_into_an_empty_database(
    committed: None, make_version: Callable[..., ModelVersion], tmp_path: Path
) -> None:
    first = make_version("production", metadata={"country": "NO"}, tags={"nlp": ""})
    make_version(name="Café ☕", version="1.10")
    policies.change(first.family, {"dry_run": True}, actor="user:1")
    call_command("export_registry", tmp_path / "before", stdout=io.StringIO())
    servers.empty()
    importer()

    said = io.StringIO()
    call_command("import_registry", tmp_path / "before", username="ops the importer", stdout=said)
    call_command("export_registry", tmp_path / "after", stdout=io.StringIO())

    assert said.getvalue().splitlines()[-1] == "5 registered, 0 changed, 0 unchanged."
    before, after = contents(tmp_path / "before"), contents(tmp_path / "after")
    assert len(before) == 5
    assert declared(after) == declared(before)
    assert {v.stage for v in ModelVersion.objects.all()} == {"development"}
    assert RollbackPolicy.objects.get().dry_run
    assert Event.objects.filter(event_type="model.registered").count() == 2
