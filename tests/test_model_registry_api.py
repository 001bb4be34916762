"""Six cases that tell what the registry does, from the first call to the last.

cd tests
pytest test_model_registry_api.py -v
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from registry.models import ModelVersion

MODELS = "/api/model-registry/models"
ENTRY = {
    "model_id": "fraud_detector_v1",
    "name": "Fraud Detector",
    "version": "1.0.0",
    "framework": "sklearn",
    "model_type": "classification",
    "owner": "ml_team",
    "team": "fraud_prevention",
}


@pytest.fixture
def trainer_api(db: None, api: Callable[..., APIClient]) -> APIClient:
    return api("trainer", username="tom")


@pytest.fixture
def operator_api(db: None, api: Callable[..., APIClient]) -> APIClient:
    return api("operator", username="otto")


def test_a_registered_model_is_found_with_what_was_declared(trainer_api: APIClient) -> None:
    registered = trainer_api.post(MODELS, ENTRY, format="json")

    assert registered.status_code == 201
    found = trainer_api.get(f"{MODELS}/fraud_detector_v1").json()
    assert found.items() >= ENTRY.items()
    assert (found["deploy_status"], found["registered_by"]) == ("development", "tom")


def test_a_list_can_be_filtered_by_stage_framework_and_tags(
    trainer_api: APIClient, make_version: Callable[..., ModelVersion]
) -> None:
    make_version("production", name="Letters", framework="pytorch", tags={"nlp": "", "task": "x"})
    make_version(name="Faces", framework="jax", tags={"nlp": ""})

    def found(query: str) -> list[str]:
        return [model["name"] for model in trainer_api.get(f"{MODELS}?{query}").json()["models"]]

    assert found("") == ["Faces", "Letters"]
    assert found("stage=production") == ["Letters"]
    assert found("framework=jax") == ["Faces"]
    assert found("tags=nlp,task") == ["Letters"]


def test_a_model_is_promoted_only_after_its_review(
    trainer_api: APIClient, api: Callable[..., APIClient]
) -> None:
    trainer_api.post(MODELS, ENTRY, format="json")
    deployment = f"{MODELS}/fraud_detector_v1/deployment"
    trainer_api.patch(deployment, {"status": "sandbox"}, format="json")
    canary = {"status": "canary", "canary_percentage": 10.0}

    early = trainer_api.patch(deployment, canary, format="json")
    api("reviewer", username="rita").patch(
        f"{MODELS}/fraud_detector_v1",
        {"metadata": {"constitutional_compliance": True, "bias_check_passed": True}},
        format="json",
    )
    reviewed = trainer_api.patch(deployment, canary, format="json")

    assert (early.status_code, len(early.json()["blockers"])) == (409, 3)
    assert reviewed.status_code == 200
    assert reviewed.json()["canary_percentage"] == 10.0


def test_degradation_is_told_with_its_figures(
    operator_api: APIClient, make_version: Callable[..., ModelVersion]
) -> None:
    model = f"{MODELS}/{make_version('canary').model_id}"
    bad = {"timestamp": datetime.now(UTC).isoformat(), "num_requests": 500, "error_rate": 0.08}

    kept = operator_api.post(f"{model}/performance", bad, format="json")
    check = operator_api.get(f"{model}/rollback-check", {"window_minutes": 10}).json()

    assert (kept.status_code, kept.json()["accepted"]) == (201, 1)
    assert check["should_rollback"] is True
    assert check["reasons"] == ["error rate 8 % > 5 % over 500 requests"]


def test_a_rollback_restores_the_predecessor_and_opens_an_incident(
    operator_api: APIClient, make_version: Callable[..., ModelVersion]
) -> None:
    former, current = make_version("production"), make_version("production")

    done = operator_api.post(
        f"{MODELS}/{current.model_id}/rollback", {"reason": "High error rate"}, format="json"
    ).json()

    assert (done["status"], done["restored_model_id"]) == ("rollback", former.model_id)
    detail = operator_api.get(f"{MODELS}/{current.model_id}").json()
    assert detail["rollback"]["reasons"] == ["High error rate"]
    incident = operator_api.get(f"/api/model-registry/incidents/{done['incident_id']}").json()
    assert (incident["severity"], incident["model_id"]) == ("critical", current.model_id)


def test_a_card_and_the_counts_say_what_there_is(
    trainer_api: APIClient, make_version: Callable[..., ModelVersion]
) -> None:
    version = make_version("canary", framework="pytorch", description="Finds stolen cards.")

    card = trainer_api.post(f"{MODELS}/{version.model_id}/generate-card", {}, format="json")
    stats = trainer_api.get("/api/model-registry/stats").json()

    assert (card.status_code, card.json()["revision"]) == (201, 1)
    assert "Finds stolen cards." in card.json()["markdown"]
    assert (stats["total_models"], stats["by_stage"]["canary"]) == (1, 1)
    assert (stats["by_framework"], stats["open_incidents"]) == ({"pytorch": 1}, 0)
