"""Registry entries as the API shows them: the seed's names, with what each app adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from registry import actors
from registry.errors import NotFound
from registry.models import ModelVersion

Part = Callable[[Sequence[ModelVersion]], dict[int, dict[str, Any]]]


def find(model_id: str) -> ModelVersion:
    """The version of this ``model_id``, with its family and artifact.

    Raises:
        NotFound: There is none.
    """
    try:
        return ModelVersion.objects.select_related("family", "artifact").get(model_id=model_id)
    except ModelVersion.DoesNotExist:
        raise NotFound(
            f"There is no model {model_id!r}; GET models lists those there are."
        ) from None


def entries(versions: Sequence[ModelVersion]) -> list[dict[str, Any]]:
    """Entries of many versions; the number of queries does not grow with them."""
    called = actors.names(version.registered_by for version in versions)
    parts = [_part(path)(versions) for path in settings.ASSAY_ENTRY_PARTS]
    return [
        _own(version, called[version.registered_by]) | _merged(parts, version.pk)
        for version in versions
    ]


def entry(version: ModelVersion) -> dict[str, Any]:
    """The whole entry of one version, with what only the detail carries."""
    parts = [_part(path)([version]) for path in settings.ASSAY_DETAIL_PARTS]
    return entries([version])[0] | _merged(parts, version.pk)


def _part(path: str) -> Part:
    part: Part = import_string(path)
    return part


def _merged(parts: Iterable[dict[int, dict[str, Any]]], pk: int) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        merged |= part[pk]
    return merged


def _own(version: ModelVersion, registered_by: str) -> dict[str, Any]:
    artifact, percentage = version.artifact, version.canary_percentage
    return {
        "model_id": version.model_id,
        "name": version.family.name,
        "version": version.version,
        "number": version.number,
        "framework": version.framework,
        "model_type": version.model_type,
        "owner": version.owner,
        "team": version.team,
        "description": version.description,
        "source": version.source,
        "run_id": version.run_id,
        "artifact_path": version.artifact_path,
        "artifact_sha256": version.artifact_digest or None,
        "artifact_size": artifact.size if artifact else None,
        "artifact_format": artifact.format if artifact else None,
        "training_data_hash": version.training_data_hash,
        "training_dataset_size": version.training_dataset_size,
        "training_timestamp": version.training_timestamp,
        "evaluation_metrics": version.evaluation_metrics,
        "expected_latency_p95_ms": version.expected_latency_p95_ms,
        "aliases": [alias.name for alias in version.aliases.all()],
        "tags": {tag.key: tag.value for tag in version.tags.all()},
        "metadata": version.metadata,
        "deploy_status": version.stage,
        "canary_percentage": None if percentage is None else float(percentage),
        "stage_entered_at": version.stage_entered_at,
        "risk_tier": version.family.risk_tier,
        "registered_by": registered_by,
        "registered_at": version.registered_at,
        "revision": version.revision,
    }
