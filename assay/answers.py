"""What the registry answers, one frozen dataclass for each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from assay.awaiting import Listing, Settled
from assay.entries import DeploymentStage


@dataclass(frozen=True)
class Artifact(Settled):
    """An uploaded artifact as the registry stored it; ``size`` in bytes."""

    sha256: str
    size: int
    format: str | None = None


@dataclass(frozen=True)
class Alias(Settled):
    """A name that means one version of a family until somebody moves it."""

    family: str
    alias: str
    model_id: str
    version: str
    set_at: datetime
    set_by: str


@dataclass(frozen=True)
class Dataset(Settled):
    """An uploaded data set; ``size`` in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Download(Settled):
    """A file written here whose bytes have the digest the registry recorded."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Deployment(Settled):
    """A move from one stage to another."""

    model_id: str
    status: DeploymentStage
    previous_status: DeploymentStage | None = None
    canary_percentage: float | None = None
    transition_id: int | str | None = None


class Reason(str):
    """Why a model should be rolled back, in words, with the figures beside them.

    Attributes:
        metric: error_rate, latency_p95_ms, ood_rate or input_drift_score.
        value: What was measured, in the metric's unit.
        threshold: What it may be at most.
        window: Length of the window measured, in minutes.
    """

    metric: str | None
    value: float | None
    threshold: float | None
    window: int | None

    def __new__(
        cls, text: str, trigger: Mapping[str, Any] | None = None, window: int | None = None
    ) -> Self:
        reason = super().__new__(cls, text)
        figures = trigger or {}
        reason.metric = figures.get("metric")
        reason.value = figures.get("value")
        reason.threshold = figures.get("threshold")
        reason.window = window
        return reason


class RollbackCheck(tuple[bool, Listing[Reason]], Settled):
    """``(should_rollback, reasons)``, and what tells "healthy" from "no data".

    Attributes:
        verdict: rollback, watch, ok or no_data: the worst of the triggers.
        triggers: Each trigger's verdict with its figures.
    """

    verdict: str
    triggers: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """The check that a rollback-check answer describes."""
        by_reason = {trigger.get("reason"): trigger for trigger in answer["triggers"]}
        reasons = Listing(
            Reason(text, by_reason.get(text), answer["window_minutes"])
            for text in answer["reasons"]
        )
        check = cls((answer["should_rollback"], reasons))
        check.verdict = answer["verdict"]
        check.triggers = answer["triggers"]
        return check


@dataclass(frozen=True)
class Rollback(Settled):
    """A rollback done; ``restored_model_id`` is None where nothing took over."""

    model_id: str
    status: DeploymentStage
    reasons: Sequence[str] = ()
    restored_model_id: str | None = None
    incident_id: int | str | None = None


@dataclass(frozen=True)
class Card(Settled):
    """A model card, by revision: the same content in three forms."""

    model_id: str
    revision: int
    markdown: str
    json: Mapping[str, Any]
    html_url: str


@dataclass(frozen=True)
class Stats(Settled):
    """How many model versions there are, by what."""

    total_models: int
    by_stage: Mapping[str, int]
    by_framework: Mapping[str, int]
    by_team: Mapping[str, int]
    open_incidents: int


@dataclass(frozen=True)
class ReviewRequest(Settled):
    """A review asked for and not yet given."""

    model_id: str
    requested_at: datetime | None = None


@dataclass(frozen=True)
class Receipt(Settled):
    """What became of the snapshots sent: new ones, and repeats with the same values."""

    accepted: int
    duplicates: int


@dataclass(frozen=True)
class Evaluation(Settled):
    """One evaluation job and, once ``state`` is done, its ``results``."""

    evaluation_id: int | str
    state: str  # queued, running, done, failed or cancelled
    model_id: str = ""
    kind: str = ""
    progress: float | None = None  # 0..1
    device: str | None = None
    error: str | None = None
    results: Mapping[str, Any] | None = None
    evidence_digest: str | None = None

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self.state in ("done", "failed", "cancelled")
