"""Every change of verdict, with its evidence, for ever: "why" is answered from here."""

from __future__ import annotations

from django.db import models

from registry.models import ModelVersion


class RecordedVerdict(models.Model):
    """What the triggers said of one version from ``decided_at`` on, and on what figures."""

    class Verdict(models.TextChoices):
        ROLLBACK = "rollback"
        WATCH = "watch"
        OK = "ok"
        NO_DATA = "no_data", "no data"

    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="verdicts")
    verdict = models.CharField(max_length=16, choices=Verdict)
    stage = models.CharField(max_length=16)  # at the time
    rule = models.CharField(max_length=16, default="threshold")  # whose verdict it is
    window_minutes = models.PositiveIntegerField()
    window_end = models.DateTimeField()
    reasons = models.JSONField(default=list)  # sentences of the breaching triggers
    triggers = models.JSONField(default=list)  # every trigger with value, threshold, counts
    other = models.JSONField(default=dict)  # what the rule said that was not acted on
    newest_snapshot_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["version", "-id"], name="verdicts_of_a_version")]

    def __str__(self) -> str:
        return f"{self.version}: {self.verdict}"
