"""What the registry answers, and what callers send, in one place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from assay import ModelRegistryEntry

STATS = {
    "total_models": 3,
    "by_stage": {"development": 2, "production": 1},
    "by_framework": {"pytorch": 3},
    "by_team": {"risk": 3},
    "open_incidents": 1,
}

ENTRY: dict[str, Any] = {
    "model_id": "m",
    "name": "Fraud Detector",
    "version": "1.0.0",
    "number": 1,
    "framework": "pytorch",
    "model_type": "classification",
    "owner": "ada",
    "team": "risk",
    "description": "",
    "source": "",
    "run_id": "",
    "artifact_path": "",
    "artifact_sha256": None,
    "artifact_size": None,
    "artifact_format": None,
    "training_data_hash": "abc123",
    "training_dataset_size": 50_000,
    "training_timestamp": "2026-03-01T09:00:00Z",
    "evaluation_metrics": {"accuracy": 0.96},
    "expected_latency_p95_ms": 50.0,
    "tags": {"nlp": "", "task": "fraud"},
    "metadata": {"ticket": 7},
    "deploy_status": "canary",
    "canary_percentage": 10.0,
    "stage_entered_at": "2026-03-02T09:00:00+00:00",
    "constitutional_compliance": True,
    "bias_check_passed": True,
    "risk_tier": "medium",
    "registered_by": "ada",
    "registered_at": "2026-03-01T10:00:00Z",
    "revision": 4,
    "rollback": None,
    "a_field_of_a_later_release": {"x": 1},
}


def an_entry(**fields: Any) -> ModelRegistryEntry:
    given = {
        "model_id": "m",
        "name": "Fraud Detector",
        "version": "1.0.0",
        "framework": "pytorch",
        "model_type": "classification",
        "owner": "ada",
        "team": "risk",
    }
    return ModelRegistryEntry(**{**given, **fields})


def at_noon(minute: int = 0) -> datetime:
    return datetime(2026, 3, 1, 12, minute, tzinfo=UTC)
