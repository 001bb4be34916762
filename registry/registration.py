"""Enter new model versions, and keep what is declared about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q

from registry import lifecycle
from registry.actors import actor_of
from registry.errors import DuplicateModel, Unprocessable
from registry.ledger import events
from registry.models import (
    ModelFamily,
    ModelVersion,
    Part,
    RiskTier,
    Stakeholder,
    VersionTag,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a trainer declares about a new version."""

    model_id: str
    name: str  # of the registered model
    version: str
    framework: str
    model_type: str
    owner: str
    team: str
    description: str = ""
    source: str = ""
    run_id: str = ""
    artifact_path: str = ""
    declared_sha256: str = ""
    training_data_hash: str = ""
    training_dataset_size: int | None = None  # rows
    training_timestamp: datetime | None = None
    evaluation_metrics: Mapping[str, float] = field(default_factory=dict)
    expected_latency_p95_ms: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    risk_tier: RiskTier | None = None  # of the registered model; its own where None
    number: int | None = None  # as another registry gave it; the next one where None
    former_owners: Sequence[str] = ()  # usernames or groups


NOT_COLUMNS = {"name", "tags", "risk_tier", "number", "former_owners"}


@transaction.atomic
def register(entry: Entry, *, registrant: User) -> ModelVersion:
    """Register a model version in the development stage; its family is made with the first.

    Raises:
        DuplicateModel: The model_id, or this name and version, is taken.
        Unprocessable: The risk tier is not that of the registered model, or the number is given.
    """
    family = _family(entry)
    _check_free(entry, family)
    _give_number(family, entry.number)
    columns = {f.name: getattr(entry, f.name) for f in fields(entry) if f.name not in NOT_COLUMNS}
    try:
        with transaction.atomic():  # a rival family may take the same model_id meanwhile
            version = ModelVersion.objects.create(
                **columns,
                family=family,
                number=family.last_number,
                registered_by=actor_of(registrant),
            )
    except IntegrityError as error:
        raise _taken(entry.model_id, entry.model_id) from error
    _tag(version, entry.tags)
    owners = {entry.owner, family.owner, *entry.former_owners}
    Stakeholder.objects.bulk_create(
        [
            Stakeholder(version=version, part=Part.REGISTRANT, user=registrant),
            *(Stakeholder(version=version, part=Part.OWNER, name=name) for name in sorted(owners)),
        ]
    )
    lifecycle.start(version, actor=actor_of(registrant))
    return version


@transaction.atomic
def amend(version: ModelVersion, changes: Mapping[str, Any], *, actor: str) -> ModelVersion:
    """Change what is declared: description, owners, expected latency, tags, metadata.

    Metadata keys are merged; a key set to None is removed. A new owner joins the model's own
    people, and the old one stays among them.
    """
    version = lifecycle.lock(version)
    columns = dict(changes)
    tags = columns.pop("tags", None)
    for name in columns.pop("former_owners", ()):
        join(version, Part.OWNER, name=name)
    if "metadata" in columns:
        merged = version.metadata | columns["metadata"]
        columns["metadata"] = {k: v for k, v in merged.items() if v is not None}
    if "owner" in columns:
        join(version, Part.OWNER, name=columns["owner"])
    for name, value in columns.items():
        setattr(version, name, value)
    version.revision += 1
    version.save(update_fields=[*columns, "revision"])
    if tags is not None:
        version.tags.all().delete()
        _tag(version, tags)
    events.record(
        "model.amended", subject=version, actor=actor, payload={"fields": sorted(changes)}
    )
    return version


def join(version: ModelVersion, part: Part, *, user: User | None = None, name: str = "") -> None:
    """Count somebody among the model's own people, who may not approve it. For good."""
    Stakeholder.objects.get_or_create(version=version, part=part, user=user, name=name)


def is_own_person(version: ModelVersion, user: User) -> bool:
    """Whether ``user`` is one of the model's own people, by themselves, by name or by group."""
    named = Q(name=user.get_username()) | Q(name__in=user.groups.values("name"))
    return version.stakeholders.filter(Q(user=user) | named).exists()


def _family(entry: Entry) -> ModelFamily:
    """The registered model, locked, so that numbers are given one at a time."""
    ModelFamily.objects.bulk_create(
        [
            ModelFamily(
                name=entry.name,
                owner=entry.owner,
                team=entry.team,
                risk_tier=entry.risk_tier or RiskTier.MEDIUM,
            )
        ],
        ignore_conflicts=True,
    )
    family = ModelFamily.objects.select_for_update().get(name=entry.name)
    if entry.risk_tier not in (None, family.risk_tier):
        raise Unprocessable.of(
            "risk_tier",
            f"{family.name} is of tier {family.risk_tier}; leave the tier out, or have a reviewer "
            "change it in the console.",
        )
    return family


def _give_number(family: ModelFamily, number: int | None) -> None:
    """The family's next number, or a later one that another registry gave."""
    following = family.last_number + 1
    if number is not None and number < following:
        raise Unprocessable.of(
            "number",
            f"{family.name} has given its numbers up to {family.last_number}, and gives none "
            "twice; leave it out.",
        )
    family.last_number = following if number is None else number
    family.save(update_fields=["last_number"])


def _check_free(entry: Entry, family: ModelFamily) -> None:
    same = Q(model_id=entry.model_id) | Q(family=family, version=entry.version)
    existing = ModelVersion.objects.filter(same).order_by("pk").first()
    if existing is None:
        return
    if existing.model_id == entry.model_id:
        raise _taken(entry.model_id, existing.model_id)
    raise DuplicateModel(
        f"{family.name} has a version {entry.version} already: {existing.model_id}. "
        "Register under another version.",
        existing.model_id,
    )


def _taken(model_id: str, existing: str) -> DuplicateModel:
    return DuplicateModel(
        f"{model_id} is registered already. Register under another model_id.", existing
    )


def _tag(version: ModelVersion, tags: Mapping[str, str]) -> None:
    VersionTag.objects.bulk_create(
        VersionTag(version=version, key=key, value=value) for key, value in tags.items()
    )
