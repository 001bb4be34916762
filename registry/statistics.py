"""Counts over the registry, for the statistics endpoint and page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils.module_loading import import_string

from registry.models import DeploymentStage, ModelVersion, StageTransition, TransitionKind


def summary() -> dict[str, Any]:
    """How many model versions there are, by stage, framework and team, and what the apps add."""
    by_stage = count_by_stage()
    counts: dict[str, Any] = {
        "total_models": sum(by_stage.values()),
        "by_stage": by_stage,
        "by_framework": count_by("framework"),
        "by_team": count_by("team"),
    }
    for path in settings.ASSAY_STATISTICS_PARTS:
        counts |= import_string(path)()
    return counts


def count_by_stage() -> dict[str, int]:
    """How many versions are in each stage, also in those that hold none."""
    return dict.fromkeys(DeploymentStage.values, 0) | count_by("stage")


def count_by(field: str) -> dict[str, int]:
    """How many versions have each value of ``field``, by value."""
    rows = ModelVersion.objects.order_by(field).values_list(field).annotate(n=Count("*"))
    return dict(rows)


def moves_by_day(
    kinds: Sequence[TransitionKind], since: datetime
) -> dict[TransitionKind, Counter[date]]:
    """How many moves of each kind were made on each UTC day from ``since`` on."""
    found: dict[TransitionKind, Counter[date]] = {kind: Counter() for kind in kinds}
    for kind, day, count in moves(kinds, since):
        found[TransitionKind(kind)][day] = count
    return found


def moves(
    kinds: Sequence[TransitionKind], since: datetime
) -> QuerySet[StageTransition, tuple[str, date, int]]:
    """Kind, day and number of the moves from ``since`` on; read from an index alone."""
    made = StageTransition.objects.filter(kind__in=kinds, at__gte=since).order_by()
    days = made.annotate(day=TruncDate("at", tzinfo=UTC))
    return days.values_list("kind", "day").annotate(n=Count("*"))
