"""Enter new model versions, and keep what is declared about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


def register(entry: Entry, *, registrant: User) -> ModelVersion:
    """Register a model version in the development stage; its family is made with the first.

    Raises:
        DuplicateModel: The model_id, or this name and version, is taken.
        Unprocessable: The risk tier is not that of the registered model, or the number is given.
    """
    return register_all([entry], registrant=registrant)[0]


@transaction.atomic
def register_all(entries: Sequence[Entry], *, registrant: User) -> list[ModelVersion]:
    """Register many, all of them or none; as many statements as for one.

    Raises:
        DuplicateModel, Unprocessable: As ``register`` does, of the first that cannot be.
    """
    families = _families(entries)
    _check_free(entries, families)
    versions = [_version(entry, families[entry.name], registrant) for entry in entries]
    ModelFamily.objects.bulk_update(families.values(), ["last_number"])
    try:
        with transaction.atomic():  # a rival family may take the same model_id meanwhile
            ModelVersion.objects.bulk_create(versions)
    except IntegrityError as error:
        ids = [entry.model_id for entry in entries]
        rival = ModelVersion.objects.filter(model_id__in=ids).first()
        raise _taken(rival.model_id if rival else ids[0]) from error
    _tag(zip(versions, (entry.tags for entry in entries), strict=True))
    Stakeholder.objects.bulk_create(
        person
        for version, entry in zip(versions, entries, strict=True)
        for person in _people(version, entry, registrant)
    )
    lifecycle.start(versions, actor=actor_of(registrant))
    return versions


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
        _tag([(version, tags)])
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


def _families(entries: Sequence[Entry]) -> dict[str, ModelFamily]:
    """The registered models by name, locked, so that numbers are given one at a time."""
    named = {entry.name: entry for entry in reversed(entries)}  # made by its first version
    ModelFamily.objects.bulk_create(
        [
            ModelFamily(
                name=name,
                owner=entry.owner,
                team=entry.team,
                risk_tier=entry.risk_tier or RiskTier.MEDIUM,
            )
            for name, entry in named.items()
        ],
        ignore_conflicts=True,
    )
    # In one order everywhere, so that two who lock several never wait for each other.
    rows = ModelFamily.objects.filter(name__in=named).order_by("pk").select_for_update()
    families = {family.name: family for family in rows}
    for entry in entries:
        _check_tier(entry, families[entry.name])
    return families


def _check_tier(entry: Entry, family: ModelFamily) -> None:
    if entry.risk_tier not in (None, family.risk_tier):
        raise Unprocessable.of(
            "risk_tier",
            f"{family.name} is of tier {family.risk_tier}; leave the tier out, or have a reviewer "
            "change it in the console.",
        )


def _version(entry: Entry, family: ModelFamily, registrant: User) -> ModelVersion:
    """The row to be, with the family's next number."""
    _give_number(family, entry.number)
    columns = {f.name: getattr(entry, f.name) for f in fields(entry) if f.name not in NOT_COLUMNS}
    return ModelVersion(
        **columns,
        family=family,
        number=family.last_number,
        registered_by=actor_of(registrant),
    )


def _people(version: ModelVersion, entry: Entry, registrant: User) -> Iterator[Stakeholder]:
    """Who may not approve it."""
    yield Stakeholder(version=version, part=Part.REGISTRANT, user=registrant)
    for name in sorted({entry.owner, version.family.owner, *entry.former_owners}):
        yield Stakeholder(version=version, part=Part.OWNER, name=name)


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


def _check_free(entries: Sequence[Entry], families: Mapping[str, ModelFamily]) -> None:
    """Refuse what is registered already, or twice among the entries."""
    same = Q(model_id__in=[entry.model_id for entry in entries]) | Q(
        family__in=families.values(), version__in=[entry.version for entry in entries]
    )
    rows = ModelVersion.objects.filter(same)
    taken = {
        (family, version): model_id
        for family, version, model_id in rows.values_list("family__name", "version", "model_id")
    }
    ids = set(taken.values())
    for entry in entries:
        if entry.model_id in ids:
            raise _taken(entry.model_id)
        existing = taken.setdefault((entry.name, entry.version), entry.model_id)
        if existing != entry.model_id:
            raise DuplicateModel(
                f"{entry.name} has a version {entry.version} already: {existing}. "
                "Register under another version.",
                existing,
            )
        ids.add(entry.model_id)


def _taken(model_id: str) -> DuplicateModel:
    return DuplicateModel(
        f"{model_id} is registered already. Register under another model_id.", model_id
    )


def _tag(tags: Iterable[tuple[ModelVersion, Mapping[str, str]]]) -> None:
    VersionTag.objects.bulk_create(
        VersionTag(version=version, key=key, value=value)
        for version, given in tags
        for key, value in given.items()
    )
