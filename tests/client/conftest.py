"""An edge to talk to, and a registry that talks to it."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from datetime import datetime
from types import ModuleType

import pytest
from django.conf import settings

from assay import DeploymentStage, ModelRegistryEntry
from assay.over_http import HttpTransport
from assay.registry import Registry
from assay.session import Session
from tests.client.doors import As, inside, over_http
from tests.client.edge import Edge
from tests.client.shop import Shop


@pytest.fixture
def edge() -> Iterator[Edge]:
    with Edge() as running:
        yield running


@pytest.fixture
def registry(edge: Edge) -> Registry:
    return Registry(Session(HttpTransport(edge.url, "assay_secret", timeout=2)))


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop, module = Shop(), ModuleType("shop.inprocess")
    module.__dict__["call"] = shop.call
    monkeypatch.setitem(sys.modules, "shop.inprocess", module)
    monkeypatch.delenv("ASSAY_URL", raising=False)
    monkeypatch.setattr(settings, "ROOT_URLCONF", "shop.urls")
    return shop


@pytest.fixture(params=["in process", "over http"])
def as_(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> As:
    """The registry as somebody with a role sees it: ``as_("ada", "reviewer")``."""
    if request.param == "in process":
        return inside(request, monkeypatch)
    return over_http(request, monkeypatch)


@pytest.fixture
def trainer(as_: As) -> Registry:
    return as_("tom", "trainer")


@pytest.fixture
def family() -> str:
    return f"Fraud Detector {uuid.uuid4().hex[:8]}"


@pytest.fixture
def entry(family: str) -> ModelRegistryEntry:
    """The seed's entry, in a family of the test's own; its time is naive, as the seed's."""
    return ModelRegistryEntry(
        model_id=f"{family.replace(' ', '_').lower()}_v1",
        name=family,
        version="1.0.0",
        artifact_path="models/fraud_detector.pkl",
        framework="sklearn",
        model_type="classification",
        owner="ml_team",
        team=f"team {family}",
        training_data_hash="abc123",
        training_dataset_size=50000,
        training_timestamp=datetime.now(),  # noqa: DTZ005 - as in the seed
        evaluation_metrics={"accuracy": 0.96, "f1": 0.94},
        deploy_status=DeploymentStage.DEVELOPMENT,
        tags={"nlp": "", "task": "fraud"},
    )


@pytest.fixture
def model_id(trainer: Registry, entry: ModelRegistryEntry) -> str:
    return trainer.register_model(entry).model_id
