"""Both ways to the real registry, and what people do there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from assay import DeploymentStage, ModelPerformanceSnapshot, Registry, get_registry
from tests.people import People

As = Callable[..., Registry]  # as_(username, role), and the model_id that a serving job reports on


def inside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> As:
    """The registry of the test process, where what is committed stays until the test ends."""
    request.getfixturevalue("committed")
    user_with: Callable[..., User] = request.getfixturevalue("user_with")
    monkeypatch.delenv("ASSAY_URL", raising=False)

    def enter(username: str, role: str, model_id: str = "") -> Registry:
        if role:
            user_with(role, username=username)
        return get_registry(actor=username)

    return enter


def over_http(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> As:
    """The running product, which many tests share: names must be a test's own."""
    people: People = request.getfixturevalue("people")
    monkeypatch.setenv("ASSAY_URL", people.running.url)

    def token_of(username: str, role: str, model_id: str) -> str:
        if role == "serving":
            return people.serving_token(model_id)
        return people.running.token(username, role) if role else "assay_nobodys"

    def enter(username: str, role: str, model_id: str = "") -> Registry:
        token = token_of(username, role, model_id)
        monkeypatch.setenv("ASSAY_TOKEN", token)
        return get_registry()

    return enter


def snapshot(model_id: str, *, second: int = 0, **figures: float) -> ModelPerformanceSnapshot:
    """A thousand requests of a minute ago; ``second`` tells snapshots apart."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60 - second)
    return ModelPerformanceSnapshot(
        model_id=model_id,
        timestamp=at,
        num_requests=1000,
        latency_p95_ms=45.8,
        error_rate=figures.get("error_rate", 0.02),
    )


def in_canary(as_: As, model_id: str) -> Registry:
    """Take ``model_id`` to canary as its people and a reviewer do; gives its trainer's registry."""
    trainer, reviewer = as_("tom", "trainer"), as_("rita", "reviewer")
    trainer.update_deployment_status(model_id, DeploymentStage.SANDBOX)
    settled = {"constitutional_compliance": True, "bias_check_passed": True}
    reviewer.update_model(model_id, metadata=settled)
    trainer.update_deployment_status(model_id, DeploymentStage.CANARY, 10.0)
    return trainer
