"""What people should know of, until somebody has dealt with it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from monitoring.models.verdicts import RecordedVerdict
from registry import clock
from registry.models import ModelVersion, Remark, StageTransition


class IncidentKind(models.TextChoices):
    ROLLBACK = "rollback", "rolled back"
    BREACH = "breach", "breach, not acted on"  # policy: notify, dry run, or hold
    NO_DATA = "no_data", "no data"
    COOLDOWN = "rollback_suppressed_cooldown", "rollback suppressed by cooldown"
    SHARED_CAUSE = "shared_cause", "shared cause"
    PLAYBOOK = "playbook", "raised by a playbook"
    TRAFFIC_IGNORED = "traffic_ignored", "traffic goes elsewhere"
    PROGRESS_STALLED = "progress_stalled", "progress stalled"


class Severity(models.TextChoices):
    CRITICAL = "critical"
    WARNING = "warning"


class Incident(models.Model):
    """One degradation of one version; at most one of a kind is open at a time."""

    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="incidents")
    kind = models.CharField(max_length=32, choices=IncidentKind)
    severity = models.CharField(max_length=16, choices=Severity)
    summary = models.TextField()  # made of figures, never of people's words
    reasons = models.JSONField(default=list)
    remark = models.ForeignKey(Remark, models.PROTECT, null=True, related_name="+")
    transition = models.ForeignKey(StageTransition, models.PROTECT, null=True, related_name="+")
    verdict = models.ForeignKey(RecordedVerdict, models.PROTECT, null=True, related_name="+")
    restored = models.ForeignKey(ModelVersion, models.PROTECT, null=True, related_name="+")
    former = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")  # it came again
    breaches = models.PositiveIntegerField(default=1)  # repeats join the open incident
    opened_at = models.DateTimeField(default=clock.now)
    last_breach_at = models.DateTimeField(default=clock.now)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=64, blank=True)  # actor
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=64, blank=True)  # actor
    resolution = models.ForeignKey(Remark, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["-id"], name="open_incidents", condition=Q(resolved_at__isnull=True)
            ),
            models.Index(fields=["version", "-id"], name="incidents_of_a_version"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "kind"],
                condition=Q(resolved_at__isnull=True),
                name="one_open_incident_a_kind",
            ),
            models.CheckConstraint(
                name="resolution_says_who_and_when",
                condition=Q(resolved_at__isnull=True, resolved_by="")
                | (Q(resolved_at__isnull=False) & ~Q(resolved_by="")),
            ),
            models.CheckConstraint(
                name="acknowledgement_says_who_and_when",
                condition=Q(acknowledged_at__isnull=True, acknowledged_by="")
                | (Q(acknowledged_at__isnull=False) & ~Q(acknowledged_by="")),
            ),
            models.CheckConstraint(
                name="only_what_is_resolved_has_a_resolution",
                condition=Q(resolution__isnull=True) | Q(resolved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.version}"
