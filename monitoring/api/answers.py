"""What monitoring's endpoints answer, as types: the API's document is made of these."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from monitoring.models import (
    EvaluationKind,
    EvaluationState,
    IncidentKind,
    RunState,
    Severity,
    StepState,
)
from monitoring.triggers import Metric, Rule, Verdict
from registry.api.answers import Sha256, Share
from registry.models import DeploymentStage


class Clash(TypedDict):
    """A snapshot that was reported before with other values."""

    index: int
    detail: str


class Receipt(TypedDict):
    """What became of the snapshots sent."""

    accepted: int
    duplicates: int
    conflicts: list[Clash]


class Snapshot(TypedDict):
    """What one version did over one reporting interval; null was not reported."""

    model_id: str
    version: str
    timestamp: datetime
    source: str
    num_requests: int
    error_rate: Share | None
    ood_rate: Share | None
    input_drift_score: Share | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    requests_per_second: float | None
    gpu_memory_mb: float | None
    device: str | None


class SnapshotPage(TypedDict):
    """Snapshots, newest first; ``next`` is the time to ask ``until`` for the page after."""

    snapshots: list[Snapshot]
    next: datetime | None


class Trigger(TypedDict):
    """One trigger's verdict, with the figures it rests on."""

    metric: Metric
    verdict: Verdict
    value: float | None
    threshold: float | None
    requests: int
    snapshots: int
    reason: str
    evidence_nats: float | None
    more_requests: int | None


class Judgement(TypedDict):
    """What the rule says that is not acted on."""

    rule: Rule
    verdict: Verdict
    reasons: list[str]
    triggers: list[Trigger]


class AgainstProduction(TypedDict):
    """A canary's errors beside production's over the same time."""

    requests: int
    error_rate: Share
    production_requests: int
    production_error_rate: Share
    evidence_nats: float
    worse: bool


class RollbackCheck(TypedDict):
    """What the triggers say of one version now, by the rule that is acted on and by the other."""

    model_id: str
    should_rollback: bool
    reasons: list[str]
    verdict: Verdict
    window_minutes: int
    requests: int
    rule: Rule
    triggers: list[Trigger]
    other_rule: Judgement
    against_production: AgainstProduction | None


class RolledBack(TypedDict):
    """What a rollback did; repeated, what it had done."""

    model_id: str
    status: DeploymentStage
    reasons: list[str]
    restored_model_id: str | None
    incident_id: int | None
    transition_id: int


class Evaluation(TypedDict):
    """One evaluation: how far it is, and what came out."""

    evaluation_id: int
    model_id: str
    kind: EvaluationKind
    state: EvaluationState
    progress: Share
    device: str | None
    error: str | None
    dataset: str
    dataset_sha256: Sha256
    artifact_sha256: Sha256
    protected_attributes: list[str]
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    results: dict[str, Any] | None
    evidence_digest: Sha256 | None


class Evaluations(TypedDict):
    """The newest evaluations of a version."""

    evaluations: list[Evaluation]


class Incident(TypedDict):
    """Something that people should look at."""

    incident_id: int
    model_id: str
    kind: IncidentKind
    severity: Severity
    summary: str
    reasons: list[str]
    breaches: int
    last_breach_at: datetime
    former_incident_id: int | None
    restored_model_id: str | None
    transition_id: int | None
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


class IncidentPage(TypedDict):
    """Incidents, newest first."""

    incidents: list[Incident]
    next: str | None


class Comment(TypedDict):
    """What somebody said of an incident."""

    incident_id: int
    event_id: int
    text: str
    by: str
    at: datetime


class TimelineEntry(TypedDict):
    """One thing that happened; ``event_id`` where the ledger holds it as an event."""

    at: datetime
    title: str
    event_type: str | None
    event_id: int | None
    actor: str
    from_stage: str | None
    to_stage: str | None
    words: list[str]
    facts: dict[str, str]


class Timeline(TypedDict):
    """What happened around an incident, oldest first; ``left_out`` is how many there is no room for."""

    incident_id: int
    entries: list[TimelineEntry]
    left_out: int


class Following(TypedDict):
    """Whether the caller is told of a model's incidents; ``said_at`` is null where by default."""

    family: str
    follows: bool
    told_of_critical: bool
    said_at: datetime | None


class PlaybookStepNames(TypedDict):
    """A step as the playbook has it."""

    name: str
    kind: str


class Playbook(TypedDict):
    """What is done when an event asks for it; ``own`` came with the product."""

    name: str
    description: str
    own: bool
    digest: Sha256
    event_type: str
    when: str | None
    steps: list[PlaybookStepNames]


class Playbooks(TypedDict):
    """The playbooks there are."""

    playbooks: list[Playbook]


class PlaybookRun(TypedDict):
    """One answer of a playbook to one occasion; ``due_at`` is when its next step is."""

    run_id: int
    playbook: str
    digest: Sha256
    model_id: str | None
    event_id: int
    key: str
    state: RunState
    error: str | None
    started_at: datetime
    due_at: datetime | None
    deadline_at: datetime
    ended_at: datetime | None


class PlaybookRunPage(TypedDict):
    """Runs, newest first."""

    runs: list[PlaybookRun]
    next: str | None


class PlaybookStep(TypedDict):
    """One step of a run; ``undoes`` is the position of the step it compensates."""

    position: int
    name: str
    kind: str
    undoes: int | None
    state: StepState
    attempts: int
    result: dict[str, Any]
    error: str | None
    settled_at: datetime | None


class PlaybookRunDetail(PlaybookRun):
    """A run with its steps, and the playbook as it was when the run began."""

    definition: str
    steps: list[PlaybookStep]
