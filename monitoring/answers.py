"""What monitoring adds to the registry's answers: why a version was rolled back, and counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitoring import rollbacks
from monitoring.models import Incident, IncidentKind
from registry import actors
from registry.models import ModelVersion


def statistics_part() -> dict[str, Any]:
    """Counts of the statistics endpoint."""
    return {"open_incidents": Incident.objects.filter(resolved_at=None).count()}


def detail_part(versions: Sequence[ModelVersion]) -> dict[int, dict[str, Any]]:
    """``rollback``: why the version was last rolled back, or null."""
    latest = (
        Incident.objects.filter(version__in=versions, kind=IncidentKind.ROLLBACK)
        .select_related("version", "transition__remark", "remark", "verdict", "restored")
        .order_by("version_id", "-pk")
        .distinct("version_id")
    )
    answers = {incident.version_id: why(incident) for incident in latest}
    return {version.pk: {"rollback": answers.get(version.pk)} for version in versions}


def why(incident: Incident) -> dict[str, Any] | None:
    """The answer to "why was it rolled back?", from the record."""
    outcome = rollbacks.outcome_of(incident)
    if outcome is None:
        return None
    verdict = incident.verdict
    window = verdict and {
        "minutes": verdict.window_minutes,
        "end": verdict.window_end,
        "newest_snapshot_at": verdict.newest_snapshot_at,
    }
    return {
        "at": outcome.transition.at,
        "by": actors.name(outcome.transition.actor),
        "reasons": list(outcome.reasons),
        "window": window,
        "evidence": verdict.triggers if verdict else None,
        "snapshots_url": f"/api/model-registry/models/{incident.version.model_id}/performance",
        "restored_model_id": outcome.restored.model_id if outcome.restored else None,
        "incident_id": incident.pk,
    }
