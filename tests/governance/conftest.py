"""People and evidence for governance's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from monitoring.models import Evaluation, EvaluationKind, EvaluationState
from registry.models import Artifact, DataSet, ModelFamily, ModelVersion, RiskTier
from tests.governance.makers import PASSWORD
from tests.governance.results import results


@pytest.fixture
def ada(user_with: Callable[..., User]) -> User:
    """A reviewer who has nothing to do with any model."""
    return user_with("reviewer", username="ada")


@pytest.fixture
def rob(user_with: Callable[..., User]) -> User:
    """A risk officer who has nothing to do with any model."""
    return user_with("risk_officer", username="rob")


@pytest.fixture
def version(make_version: Callable[..., ModelVersion]) -> ModelVersion:
    """A version in sandbox, tier medium, without artifact or evaluation."""
    return make_version("sandbox")


@pytest.fixture
def upload() -> Callable[..., Artifact]:
    """Give a version an artifact: the row, as an upload leaves it."""

    def give(version: ModelVersion, digit: str = "a", format_: str = "safetensors") -> Artifact:
        artifact, _ = Artifact.objects.get_or_create(
            sha256=digit * 64, defaults={"size": 1000, "format": format_, "detected": format_}
        )
        version.artifact = artifact
        version.save(update_fields=["artifact"])
        return artifact

    return give


@pytest.fixture
def evaluate(upload: Callable[..., Artifact]) -> Callable[..., Evaluation]:
    """Leave a finished gate evaluation of a version's artifact, uploaded where missing."""

    def make(
        version: ModelVersion, *, verdict: str = "pass", digit: str = "e", **fields: Any
    ) -> Evaluation:
        artifact = version.artifact or upload(version)
        bytes_, _ = Artifact.objects.get_or_create(
            sha256="d" * 64, defaults={"size": 9, "format": "safetensors", "detected": "x"}
        )
        dataset, _ = DataSet.objects.get_or_create(
            name="held-out", defaults={"artifact": bytes_, "uploaded_by": "user:1"}
        )
        defaults: dict[str, Any] = {
            "artifact_sha256": artifact.sha256,
            "dataset": dataset,
            "dataset_sha256": bytes_.sha256,
            "kind": EvaluationKind.GATE,
            "state": EvaluationState.DONE,
            "requested_by": "user:1",
            "finished_at": timezone.now(),
            "results": results(verdict),
            "evidence_digest": digit * 64,
            "protected_attributes": ["SEX"],
            "favourable_label": 1,
        }
        return Evaluation.objects.create(version=version, **defaults | fields)

    return make


@pytest.fixture
def tier(version: ModelVersion) -> Callable[[RiskTier], None]:
    """Put the version's family into a risk tier."""

    def put(risk: RiskTier) -> None:
        ModelFamily.objects.filter(pk=version.family_id).update(risk_tier=risk)
        version.family.refresh_from_db()

    return put


@pytest.fixture
def sign_in(user_with: Callable[..., User]) -> Callable[..., Client]:
    """A browser in which somebody with a password has signed in to the console."""

    def enter(username: str, *roles: str, **flags: bool) -> Client:
        user = user_with(*roles, username=username)
        user.set_password(PASSWORD)
        for name, value in ({"is_staff": True} | flags).items():
            setattr(user, name, value)
        user.save()
        client = Client()
        client.force_login(user)
        return client

    return enter


@pytest.fixture
def ada_in(sign_in: Callable[..., Client]) -> Client:
    return sign_in("ada", "reviewer")
