"""What a training job declares of a model version, and what the registry answers of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from assay.awaiting import Settled


class DeploymentStage(StrEnum):
    """Where a model version stands on its way to users."""

    DEVELOPMENT = "development"
    SANDBOX = "sandbox"
    CANARY = "canary"
    PRODUCTION = "production"
    ROLLBACK = "rollback"
    ARCHIVED = "archived"


@dataclass(frozen=True, kw_only=True)
class ModelRegistryEntry(Settled):
    """One model version: its family's ``name``, its ``version``, and what is known of it.

    The first group is the caller's to declare; times without an offset are read as local. The
    second is the registry's: set one of those at registration and the registry refuses it by name.
    """

    model_id: str
    name: str
    version: str
    framework: str
    model_type: str
    owner: str
    team: str
    description: str = ""
    source: str = ""
    run_id: str = ""
    artifact_path: str = ""
    artifact_sha256: str | None = None  # None: no artifact
    training_data_hash: str = ""
    training_dataset_size: int | None = None  # rows
    training_timestamp: datetime | None = None
    evaluation_metrics: Mapping[str, float] = field(default_factory=dict)
    expected_latency_p95_ms: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)  # a plain tag has an empty value
    metadata: Mapping[str, Any] = field(default_factory=dict)
    risk_tier: str = "medium"  # low, medium or high; the family's
    deploy_status: DeploymentStage = DeploymentStage.DEVELOPMENT

    number: int | None = None
    aliases: Sequence[str] = ()
    artifact_size: int | None = None  # bytes
    artifact_format: str | None = None
    canary_percentage: float | None = None  # 0 < p < 100; None: no canary
    stage_entered_at: datetime | None = None
    constitutional_compliance: bool = False
    bias_check_passed: bool = False
    registered_by: str = ""
    registered_at: datetime | None = None
    revision: int | None = None
    rollback: Mapping[str, Any] | None = None  # why it was rolled back; get_model only


@dataclass(frozen=True, kw_only=True)
class ModelPerformanceSnapshot(Settled):
    """What one model version did over one reporting interval, as one replica saw it."""

    model_id: str
    timestamp: datetime  # end of the interval; without an offset: local
    num_requests: int
    version: str | None = None  # where given it must be the model's
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    latency_p99_ms: float | None = None
    requests_per_second: float | None = None
    error_rate: float | None = None  # share of requests, 0..1
    ood_rate: float | None = None  # share of requests, 0..1
    input_drift_score: float | None = None  # 0..1
    gpu_memory_mb: float | None = None  # None on a CPU
    device: str | None = None
    source: str = ""  # the replica that reports
