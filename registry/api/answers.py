"""What the registry's endpoints answer, as types: the API's document is made of these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict

from registry.api.shapes import Keywords
from registry.models import DeploymentStage, RiskTier

Share = Annotated[float, Keywords(minimum=0, maximum=1)]
Sha256 = Annotated[str, Keywords(pattern="^[0-9a-f]{64}$")]


class Why(TypedDict):
    """Why a version was last rolled back, from the record."""

    at: datetime
    by: str
    reasons: list[str]
    window: dict[str, Any] | None
    evidence: list[dict[str, Any]] | None
    snapshots_url: str
    restored_model_id: str | None
    incident_id: int


class Entry(TypedDict):
    """One model version, with both flags as its reviews stand; the detail adds ``rollback``."""

    model_id: str
    name: str
    version: str
    number: int
    framework: str
    model_type: str
    owner: str
    team: str
    description: str
    source: str
    run_id: str
    artifact_path: str
    artifact_sha256: Sha256 | None
    artifact_size: int | None
    artifact_format: str | None
    training_data_hash: str
    training_dataset_size: int | None
    training_timestamp: datetime | None
    evaluation_metrics: dict[str, float]
    expected_latency_p95_ms: float | None
    aliases: list[str]
    tags: dict[str, str]
    metadata: dict[str, Any]
    deploy_status: DeploymentStage
    canary_percentage: float | None
    stage_entered_at: datetime
    risk_tier: RiskTier
    registered_by: str
    registered_at: datetime
    revision: int
    constitutional_compliance: bool
    bias_check_passed: bool
    rollback: NotRequired[Why | None]


class EntryPage(TypedDict):
    """Entries, newest first; ``next`` is the next page's cursor, null on the last."""

    models: list[Entry]
    next: str | None


class Family(TypedDict):
    """One registered model; ``aliases`` says which ``model_id`` each of its aliases means."""

    name: str
    description: str
    owner: str
    team: str
    risk_tier: RiskTier
    aliases: dict[str, str]
    created_at: datetime
    revision: int


class FamilyPage(TypedDict):
    """Registered models, newest first."""

    families: list[Family]
    next: str | None


class Alias(TypedDict):
    """Which version a name means."""

    family: str
    alias: str
    model_id: str
    version: str
    set_at: datetime
    set_by: str
    revision: int


class Event(TypedDict):
    """Something that happened, as the record has it."""

    id: int
    event_type: str
    source: str
    timestamp: datetime
    actor: str
    payload: dict[str, Any]


class EventPage(TypedDict):
    """Events, newest first."""

    events: list[Event]
    next: str | None


class Statistics(TypedDict):
    """Counts over the whole registry."""

    total_models: int
    by_stage: dict[str, int]
    by_framework: dict[str, int]
    by_team: dict[str, int]
    open_incidents: int


class Target(TypedDict):
    """One version that should answer requests, and those buckets of them that it should."""

    model_id: str
    artifact_uri: str
    sha256: Sha256 | None
    basis_points: Annotated[int, Keywords(minimum=0, maximum=10_000)]
    ranges: list[Annotated[list[int], Keywords(minItems=2, maxItems=2)]]


class Traffic(TypedDict):
    """The desired state of one family's traffic."""

    revision: int
    salt: str
    family: str
    targets: list[Target]


class KeptArtifact(TypedDict):
    """What was kept of an upload."""

    sha256: Sha256
    size: int
    format: str


class KeptDataSet(TypedDict):
    """A data set that evaluations may use."""

    name: str
    sha256: Sha256
    size: int


class DataSets(TypedDict):
    """The data sets there are."""

    datasets: list[KeptDataSet]


class Webhook(TypedDict):
    """A receiver of events; its secret is shown only where it is made or rotated."""

    webhook_id: str
    url: str
    event_types: list[str]
    description: str
    enabled: bool
    disabled_at: datetime | None
    disabled_why: str
    former_secret_until: datetime | None
    created_by: str
    created_at: datetime
    revision: int


class WebhookWithSecret(Webhook):
    """A webhook with its new secret, shown this once."""

    secret: str


class Webhooks(TypedDict):
    """Every webhook."""

    webhooks: list[Webhook]


class WebhookAttempt(TypedDict):
    """One request to a webhook, and how it was answered."""

    at: datetime
    duration_ms: int
    status: int | None
    error: str
    answer: str


class WebhookDelivery(TypedDict):
    """One event owed to a webhook, with its latest attempts, newest first."""

    delivery_id: int
    event_id: int
    event_type: str
    state: str
    attempts: int
    due_at: datetime
    settled_at: datetime | None
    last_error: str
    log: list[WebhookAttempt]


class WebhookDeliveries(TypedDict):
    """A page of what a webhook was owed, newest first."""

    deliveries: list[WebhookDelivery]
    next: str | None


class WebhookOwed(TypedDict):
    """One delivery that is owed now."""

    delivery_id: int
    event_id: int
    state: str


class Replayed(TypedDict):
    """How many events are owed again."""

    replayed: int
