"""Makers and servers for every test: real PostgreSQL, real Valkey, small makers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections
from hypothesis import settings
from rest_framework.test import APIClient

from registry import actors, attestations, lifecycle, registration, tokens
from registry.models import DeploymentStage, ModelFamily, ModelVersion
from tests import addresses, migrated, servers
from tests.people import People
from tests.running import Running, run_assay

settings.register_profile("shared machine", deadline=None)  # a busy neighbour is no failure
settings.load_profile("shared machine")

SERVED = {"db", "transactional_db", "committed", "django_db_setup", "running", "people"}


# What waits for real processes comes first, so that it waits while the rest is computing; then what
# is long, so that at the end no process waits for another.
PATIENT = (
    "faults/test_services",
    "faults/test_playbook_kills",
    "demo/test_whole",
    "config/test_embedded",
    "config/test_backups",
    "deployment/test_composed",
    "faults",
    "flows",
    "docs/test_tutorial",
    "docs/test_how_to_serve",
    "browser",
    "api/test_schemathesis",
    "test_traces",
    "manifests/test_memory",
    "scenarios",
)


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes of this run share what is migrated; those of xdist find it in theirs."""
    if migrated.SHARED not in os.environ:
        sharing = ExitStack()
        sharing.enter_context(migrated.shared())
        config.add_cleanup(sharing.close)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The patient first. On servers that the run was given only what uses them: the rest has run."""
    items.sort(key=_patience)
    if not addresses.given():
        return
    served = [item for item in items if _is_served(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _is_served(item)])
    items[:] = served


def _patience(item: pytest.Item) -> int:
    places = [index for index, name in enumerate(PATIENT) if f"tests/{name}" in item.nodeid]
    return min(places, default=len(PATIENT))


def _is_served(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & SERVED) or item.get_closest_marker("django_db") is not None


NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
Stage = DeploymentStage
HANDLER_MODULES = ("tests.seed_handler", "tests.flows.handlers", "tests.client.answering")


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Start the servers, migrated as the owner; the tests connect as the application does."""
    with servers.running():
        yield
        with django_db_blocker.unblock():
            for connection in connections.all():
                connection.close()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database whose transactions really commit, emptied afterwards."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            connections["default"].close()
            servers.empty()


@pytest.fixture
def user_with() -> Callable[..., User]:
    """Make a user who holds some roles: ``user_with("reviewer", username="ada")``."""

    def make(*roles: str, username: str = "", password: str = "") -> User:
        name = username or f"{roles[0] if roles else 'somebody'}-{User.objects.count()}"
        user = User.objects.filter(username=name).first() or User.objects.create_user(
            name, password=password or None
        )
        user.groups.add(*Group.objects.filter(name__in=roles))
        return user

    return make


@pytest.fixture
def trainer(user_with: Callable[..., User]) -> User:
    return user_with("trainer", username="tom")


@pytest.fixture
def make_version(user_with: Callable[..., User]) -> Callable[..., ModelVersion]:
    """Register versions, and move them up with proof: ``make_version(stage="production")``."""
    made = 0

    def make(stage: str = "development", *, share: int = 10, **fields: Any) -> ModelVersion:
        nonlocal made
        made += 1
        defaults = {
            "model_id": f"fraud_detector_v{made}",
            "name": "Fraud Detector",
            "version": f"{made}.0.0",
            "framework": "sklearn",
            "model_type": "classification",
            "owner": "ml_team",
            "team": "fraud_prevention",
        }
        entry = registration.Entry(**defaults | fields)
        version = registration.register(
            entry, registrant=user_with("trainer", username="registrant")
        )
        for step in PATHS[stage]:
            take(version, step, share=share)
            version.refresh_from_db()
        return version

    return make


def fraud_detector() -> ModelFamily:
    """The registered model of ``make_version``, before or after it has versions."""
    declared = {"owner": "ml_team", "team": "fraud_prevention"}
    return ModelFamily.objects.get_or_create(name="Fraud Detector", defaults=declared)[0]


PATHS: dict[str, tuple[str, ...]] = {
    "development": (),
    "sandbox": ("sandbox",),
    "canary": ("sandbox", "canary"),
    "production": ("sandbox", "canary", "production"),
    "rollback": ("sandbox", "canary", "rollback"),
    "archived": ("archived",),
}


def take(version: ModelVersion, to: str, *, share: int = 10) -> None:
    """Move a version one stage, writing the attestation that governance would."""
    attestation = None
    if to in (Stage.CANARY, Stage.PRODUCTION):
        attestation = attestations.write(
            version, Stage(to), subject_digest="d" * 64, approved_by=["user:1"], checks={}
        )
    lifecycle.move(
        version,
        to=Stage(to),
        actor="user:1",
        attestation=attestation,
        canary_percentage=Decimal(share) if to == Stage.CANARY else None,
    )


@pytest.fixture
def api(user_with: Callable[..., User]) -> Callable[..., APIClient]:
    """An API client with a token: ``api("trainer", username="tom")``; without roles, none.

    A serving token is of the model that ``make_version`` makes versions of, unless it names another.
    """

    def make(role: str = "", *, username: str = "", **bound: Any) -> APIClient:
        client = APIClient()
        if role == tokens.SERVING:
            bound.setdefault("family", fraud_detector())
        if role:
            token = tokens.issue(username or f"{role}-by-token", role=role, **bound)
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return make


@pytest.fixture
def actor(trainer: User) -> str:
    return actors.actor_of(trainer)


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """The whole product, as `make up` runs it, on a port and home of its own."""
    with run_assay(
        ASSAY_HANDLER_MODULES=",".join(HANDLER_MODULES),
        ASSAY_LOG_FORMAT="json",
        ASSAY_WEBHOOK_ALLOW="127.0.0.0/8",
    ) as assay:
        yield assay


@pytest.fixture(scope="session")
def people(running: Running) -> People:
    """The people who work with the running product."""
    return People(running)


@pytest.fixture(scope="session")
def live_url(running: Running) -> str:
    """Where the running product answers."""
    return running.url


@pytest.fixture(scope="session")
def token_for(running: Running) -> Callable[[str, str], str]:
    """A token of the running product: ``token_for("tom", "trainer")``."""
    return running.token
