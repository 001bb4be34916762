"""Measurements of live traffic: one row an interval, a version and a source."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from registry.models import ModelVersion


class PerformanceSnapshot(models.Model):
    """What one version did over one reporting interval; null means not reported.

    The table is partitioned by day of ``timestamp`` (see the migration), so the database
    keeps no primary key and nothing points here.
    """

    model_version = models.ForeignKey(
        ModelVersion,
        models.DO_NOTHING,
        db_column="version_id",
        db_constraint=False,
        db_index=False,
        related_name="snapshots",
    )
    model_id = models.TextField()
    version = models.TextField()
    timestamp = models.DateTimeField()  # end of the interval
    source = models.TextField(default="")  # the replica that reported
    num_requests = models.IntegerField()
    latency_p50_ms = models.FloatField(null=True)
    latency_p95_ms = models.FloatField(null=True)
    latency_p99_ms = models.FloatField(null=True)
    requests_per_second = models.FloatField(null=True)
    error_rate = models.FloatField(null=True)  # share of requests, 0..1
    ood_rate = models.FloatField(null=True)  # share of requests, 0..1
    input_drift_score = models.FloatField(null=True)  # 0..1
    gpu_memory_mb = models.FloatField(null=True)
    by_job = models.BooleanField(db_default=False)  # whether a serving token reported it
    device = models.TextField(null=True)  # noqa: DJ001 — null is "not reported", as for all of these

    class Meta:
        db_table = "memory_model_performance"
        indexes = [
            models.Index(fields=["model_version", "timestamp"], name="idx_model_perf_id"),
            BrinIndex(fields=["timestamp"], name="idx_model_perf_time"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "timestamp", "source"], name="one_snapshot_a_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} at {self.timestamp:%Y-%m-%d %H:%M:%S}"
