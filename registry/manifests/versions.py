"""ModelVersion: the manifest of one version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.module_loading import import_string
from rest_framework import serializers

from registry import registration, tokens
from registry.actors import actor_of
from registry.api.models import SHA256, NewEntrySerializer
from registry.errors import Unprocessable
from registry.manifests import naming
from registry.manifests.kinds import Body, Kind, Of, Values, plain, same
from registry.models import DeploymentStage, ModelVersion, Part
from registry.permissions import check_user_scope
from registry.serializers import (
    PatternField,
    StrictCharField,
    StrictDecimalField,
    StrictIntegerField,
)

NOT_HERE = ("deploy_status", "risk_tier")
WISHES = ("stage", "canary_percentage")
# Fields of spec that are columns of the same name.
DECLARED = (
    "framework",
    "model_type",
    "owner",
    "team",
    "description",
    "source",
    "run_id",
    "artifact_path",
    "training_data_hash",
    "training_dataset_size",
    "training_timestamp",
    "evaluation_metrics",
    "expected_latency_p95_ms",
    "metadata",
)
AMENDABLE = (
    "description",
    "owner",
    "former_owners",
    "expected_latency_p95_ms",
    "tags",
    "metadata",
    *WISHES,
)


class ModelVersionSerializer(NewEntrySerializer):
    """What is declared about a version: a registration's fields, and what only manifests say."""

    number = StrictIntegerField(minimum=1, maximum=2**31 - 1, required=False)
    former_owners = serializers.ListField(child=StrictCharField(max_length=200), required=False)
    artifact_sha256 = PatternField(
        SHA256, "Give 64 lower-case hex digits.", required=False, allow_null=True
    )
    stage = serializers.ChoiceField(choices=DeploymentStage.choices, required=False)
    canary_percentage = StrictDecimalField(required=False)

    def get_fields(self) -> dict[str, Any]:
        # The stage is a wish of its own here, and the tier is the registered model's.
        fields = super().get_fields()
        return {name: fields[name] for name in fields if name not in NOT_HERE}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "canary_percentage" in attrs and attrs.get("stage") != DeploymentStage.CANARY:
            raise Unprocessable.of("canary_percentage", "Only stage canary takes a percentage.")
        return attrs


def _current(model_ids: Sequence[str]) -> dict[str, Body]:
    rows = ModelVersion.objects.filter(model_id__in=model_ids)
    found = rows.select_related("family", "artifact").prefetch_related("tags", "stakeholders")
    return {version.model_id: _body(version) for version in found}


def _body(version: ModelVersion) -> Body:
    spec = {name: plain(getattr(version, name)) for name in DECLARED}
    spec["artifact_sha256"] = version.artifact_digest or None
    spec["tags"] = {tag.key: tag.value for tag in version.tags.all()}
    spec["former_owners"] = _former_owners(version)
    return Body(
        metadata={
            "model_id": version.model_id,
            "name": version.family.name,
            "version": version.version,
            "number": version.number,
        },
        spec={name: spec[name] for name in ORDER},
        status=_status(version),
    )


ORDER = (
    *("description", "framework", "model_type", "team", "owner", "former_owners", "source"),
    *("run_id", "artifact_path", "artifact_sha256", "training_data_hash"),
    *("training_dataset_size", "training_timestamp", "evaluation_metrics"),
    *("expected_latency_p95_ms", "tags", "metadata"),
)


def _former_owners(version: ModelVersion) -> list[str]:
    """Who owned it before, so that they do not approve it where it is imported either."""
    now = {version.owner, version.family.owner}
    return [name for name in _owners(version) if name not in now]


def _owners(version: ModelVersion) -> list[str]:
    """Everybody who ever owned it, by name."""
    found = (person for person in version.stakeholders.all() if person.part == Part.OWNER)
    return sorted({person.name for person in found})


def _status(version: ModelVersion) -> dict[str, Any]:
    artifact = version.artifact
    return {
        "stage": version.stage,
        "canary_percentage": plain(version.canary_percentage),
        "stage_entered_at": plain(version.stage_entered_at),
        "artifact_size": artifact.size if artifact else None,
        "artifact_format": artifact.format if artifact else None,
        "owners": _owners(version),
        "registered_by": version.registered_by,
        "registered_at": plain(version.registered_at),
        "revision": version.revision,
    }


def _create(many: Sequence[Values], user: User) -> None:
    check_user_scope(user, tokens.MODELS_WRITE)
    versions = registration.register_all([_entry(values) for values in many], registrant=user)
    for version, values in zip(versions, many, strict=True):
        if values.get("stage", version.stage) != version.stage:
            _promote(version, values, user)


def _entry(values: Values) -> registration.Entry:
    declared = {name: value for name, value in values.items() if name not in WISHES}
    declared["declared_sha256"] = declared.pop("artifact_sha256", None) or ""
    return registration.Entry(**declared)


def _change(values: Values, changed: frozenset[str], user: User) -> None:
    version = ModelVersion.objects.get(model_id=values["model_id"])
    changes = {name: values[name] for name in changed if name not in WISHES}
    if "metadata" in changes:
        changes["metadata"] = _without_what_is_gone(version.metadata, changes["metadata"])
    if changes:
        check_user_scope(user, tokens.MODELS_WRITE)
        version = registration.amend(version, changes, actor=actor_of(user))
    if changed.intersection(WISHES):
        _promote(version, values, user)


def _agrees(field: str, value: Any, body: Body) -> bool:
    if field == "artifact_sha256" and value is None:
        return True  # written before a file was uploaded, which it does not deny
    if field == "former_owners":
        return set(value) <= set(body.status["owners"])  # nobody is taken away
    if field == "metadata":  # an amendment to null takes the key out
        return _said(value) == _said(body.spec["metadata"])
    return same(field, value, body)


def _said(metadata: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in metadata.items() if v is not None}, sort_keys=True)


def _without_what_is_gone(former: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What makes ``registration.amend``, which merges, arrive at ``wanted``."""
    return dict.fromkeys(former.keys() - wanted.keys()) | wanted


def _promote(version: ModelVersion, values: Values, user: User) -> None:
    """Ask for the stage as anybody does: through the gates, in the user's name."""
    check_user_scope(user, tokens.DEPLOY)
    percentage: Decimal | None = values.get("canary_percentage")
    import_string(settings.ASSAY_PROMOTE)(
        version,
        to=DeploymentStage(values["stage"]),
        actor=actor_of(user),
        canary_percentage=percentage,
    )


MODEL_VERSION = Kind(
    name="ModelVersion",
    of=Of.VERSION,
    schema=Path(__file__).with_name("schemas") / "ModelVersion.json",
    metadata=("model_id", "name", "version", "number"),
    serializer=ModelVersionSerializer,
    fixed={
        name: "It is fixed when a version is registered; register another version."
        for name in ("name", "version", "number", *ORDER)
        if name not in AMENDABLE
    },
    file=lambda body: naming.version_file(
        body.metadata["name"], body.metadata["number"], body.metadata["version"]
    ),
    current=_current,
    create=_create,
    change=_change,
    agrees=_agrees,
)
