"""What the registry knows: models, versions, where each is deployed, and every fact."""

from __future__ import annotations

from registry.models.access import ApiToken, KeptAnswer
from registry.models.aliases import Alias
from registry.models.artifacts import Artifact, DataSet
from registry.models.families import ModelFamily, RiskTier, TrafficPlan
from registry.models.ledger import Delivery, DeliveryState, Event, Remark, Subscription
from registry.models.stages import (
    GATED_STAGES,
    SERVING_STAGES,
    Attestation,
    DeploymentStage,
    StageTransition,
    TransitionKind,
)
from registry.models.tree import LedgerCheckpoint, LedgerLeaf, LedgerNode, PendingLeaf
from registry.models.versions import ModelVersion, Part, Stakeholder, VersionTag
from registry.models.webhooks import Webhook, WebhookAttempt

__all__ = [
    "GATED_STAGES",
    "SERVING_STAGES",
    "Alias",
    "ApiToken",
    "Artifact",
    "Attestation",
    "DataSet",
    "Delivery",
    "DeliveryState",
    "DeploymentStage",
    "Event",
    "KeptAnswer",
    "LedgerCheckpoint",
    "LedgerLeaf",
    "LedgerNode",
    "ModelFamily",
    "ModelVersion",
    "Part",
    "PendingLeaf",
    "Remark",
    "RiskTier",
    "StageTransition",
    "Stakeholder",
    "Subscription",
    "TrafficPlan",
    "TransitionKind",
    "VersionTag",
    "Webhook",
    "WebhookAttempt",
]
