"""The Python client of the Assay model registry, for training and serving jobs.

from assay import get_registry, ModelRegistryEntry

registry = get_registry()
registry.register_model(ModelRegistryEntry(model_id="fraud_detector_v1", …))
"""

from __future__ import annotations

from assay.answers import (
    Alias,
    Artifact,
    Card,
    Dataset,
    Deployment,
    Download,
    Evaluation,
    Reason,
    Receipt,
    ReviewRequest,
    Rollback,
    RollbackCheck,
    Stats,
)
from assay.audits import InclusionProof, SignedCheckpoint
from assay.bus import EventBus, Subscription, get_event_bus
from assay.entries import DeploymentStage, ModelPerformanceSnapshot, ModelRegistryEntry
from assay.errors import (
    AssayError,
    Conflict,
    DigestMismatch,
    EvaluationFailed,
    FieldError,
    InvalidInput,
    NotFound,
    PermissionRefused,
    PromotionBlocked,
    SnapshotConflict,
    TimedOut,
    Unauthorized,
    Unavailable,
)
from assay.events import Event
from assay.registry import Registry, get_registry
from assay.router import Router
from assay.routing import Target, Traffic

__all__ = [
    "Alias",
    "Artifact",
    "AssayError",
    "Card",
    "Conflict",
    "Dataset",
    "Deployment",
    "DeploymentStage",
    "DigestMismatch",
    "Download",
    "Evaluation",
    "EvaluationFailed",
    "Event",
    "EventBus",
    "FieldError",
    "InclusionProof",
    "InvalidInput",
    "ModelPerformanceSnapshot",
    "ModelRegistryEntry",
    "NotFound",
    "PermissionRefused",
    "PromotionBlocked",
    "Reason",
    "Receipt",
    "Registry",
    "ReviewRequest",
    "Rollback",
    "RollbackCheck",
    "Router",
    "SignedCheckpoint",
    "SnapshotConflict",
    "Stats",
    "Subscription",
    "Target",
    "TimedOut",
    "Traffic",
    "Unauthorized",
    "Unavailable",
    "get_event_bus",
    "get_registry",
]
