"""Counts over the registry, for the statistics endpoint and page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils.module_loading import import_string

from registry.models import DeploymentStage, ModelVersion


def summary() -> dict[str, Any]:
    """How many model versions there are, by stage, framework and team, and what the apps add."""
    by_stage = dict.fromkeys(DeploymentStage.values, 0) | _count_by("stage")
    counts: dict[str, Any] = {
        "total_models": sum(by_stage.values()),
        "by_stage": by_stage,
        "by_framework": _count_by("framework"),
        "by_team": _count_by("team"),
    }
    for path in settings.ASSAY_STATISTICS_PARTS:
        counts |= import_string(path)()
    return counts


def _count_by(field: str) -> dict[str, int]:
    rows = ModelVersion.objects.order_by(field).values_list(field).annotate(n=Count("pk"))
    return dict(rows)
