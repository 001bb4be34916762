"""Small makers of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from monitoring import rollups, snapshots
from monitoring.models import RollUpRun
from monitoring.parsing import Snapshot
from registry.models import ModelVersion
from tests.conftest import NOW

HEALTHY: dict[str, Any] = {
    "num_requests": 1000,
    "error_rate": 0.01,
    "latency_p95_ms": 90.0,
    "ood_rate": 0.05,
    "input_drift_score": 0.05,
}


def enter(version: ModelVersion, *, ago: timedelta = timedelta(hours=1)) -> ModelVersion:
    """Say that the version has been in its stage since before the tests' clock."""
    ModelVersion.objects.filter(pk=version.pk).update(stage_entered_at=NOW - ago)
    version.refresh_from_db()
    return version


def report(
    version: ModelVersion, *, at: datetime = NOW, source: str = "", **figures: Any
) -> snapshots.Receipt:
    """Report one healthy interval, with some figures changed."""
    return snapshots.store(version, [Snapshot(timestamp=at, source=source, **HEALTHY | figures)])


def report_every(
    version: ModelVersion, seconds: Sequence[int], **figures: Any
) -> snapshots.Receipt:
    """Report intervals that ended so many seconds before the tests' clock."""
    return snapshots.store(
        version,
        [Snapshot(timestamp=NOW - timedelta(seconds=ago), **HEALTHY | figures) for ago in seconds],
    )


def snapshots_read(node: dict[str, Any]) -> float:
    """Rows that a plan took from snapshots, also those it looked at in vain."""
    read = 0.0
    if node.get("Relation Name", "").startswith("memory_model_performance"):
        loops = node["Actual Loops"]
        read = loops * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return read + sum(snapshots_read(part) for part in node.get("Plans", ()))


def tick(now: datetime = NOW) -> None:
    """Roll up, and let the moment pass in which others may have been under way."""
    rollups.roll_up(now=now)
    RollUpRun.objects.update(redo_from=F("rolled_until"))


def roll_up_all(now: datetime = NOW) -> None:
    """Tick until nothing is left: one tick adds up a day at most."""
    tick(now)
    while RollUpRun.objects.latest("pk").rolled_until < now - timedelta(minutes=1):
        tick(now)
