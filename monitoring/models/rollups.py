"""Snapshots added up by the minute, the hour and the day, and how far that has come."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from registry.models import ModelVersion


class RollUp(models.Model):
    """What one version reported after ``start`` until the end of the minute, hour or day.

    Sums, so that days are added up from hours and hours from minutes. Rows without requests are
    left out; rates are weighted by requests. Latency is the reported p95; beside its sums stands a
    histogram of the snapshots, whose bin b holds those around 1.02 ** b milliseconds.
    """

    model_version = models.ForeignKey(
        ModelVersion,
        models.DO_NOTHING,
        db_column="version_id",
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    start = models.DateTimeField()
    snapshots = models.BigIntegerField()
    requests = models.BigIntegerField()
    error_rows = models.BigIntegerField()  # snapshots that reported it, as for the others
    error_requests = models.BigIntegerField()
    error_sum = models.FloatField()  # of requests × error rate
    ood_rows = models.BigIntegerField()
    ood_requests = models.BigIntegerField()
    ood_sum = models.FloatField()
    drift_rows = models.BigIntegerField()
    drift_requests = models.BigIntegerField()
    drift_sum = models.FloatField()
    latency_rows = models.BigIntegerField()
    latency_requests = models.BigIntegerField()
    latency_sum = models.FloatField()  # of requests × p95 in ms
    # Of requests × rate². Null where they were added up before squares were.
    error_squares = models.FloatField(null=True)
    ood_squares = models.FloatField(null=True)
    latency_least_ms = models.FloatField(null=True)
    latency_most_ms = models.FloatField(null=True)
    latency_bins = ArrayField(models.SmallIntegerField())
    latency_bin_rows = ArrayField(models.IntegerField())
    pk = models.CompositePrimaryKey("model_version", "start")

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["start"], name="%(class)s_start")]

    def __str__(self) -> str:
        return f"{self.model_version_id} from {self.start:%Y-%m-%d %H:%M}"


class MinuteRollUp(RollUp):
    """One minute of a version."""


class HourRollUp(RollUp):
    """One hour of a version."""


class DayRollUp(RollUp):
    """One day of a version, in UTC."""


class RollUpRun(models.Model):
    """One time that snapshots were added up."""

    rolled_until = models.DateTimeField()  # all before was added up; what is late leaves a mark
    redo_from = models.DateTimeField()  # some later rows may not have been visible yet
    at = models.DateTimeField()  # by the database's clock, as its transactions begin

    def __str__(self) -> str:
        return f"until {self.rolled_until:%Y-%m-%d %H:%M}"


class LateSnapshots(models.Model):
    """Snapshots that came after their minutes were added up; kept until that is done again."""

    model_version = models.ForeignKey(
        ModelVersion, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    first = models.DateTimeField()
    last = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.model_version_id}: {self.first:%Y-%m-%d %H:%M}"
