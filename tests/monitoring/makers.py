"""Small makers of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from monitoring import snapshots
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
