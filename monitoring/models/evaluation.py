"""One measurement of one version: what was asked, how far it got, what came out."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from registry import clock

MAX_ATTEMPTS = 3
SHA256 = "^[0-9a-f]{64}$"


class EvaluationKind(models.TextChoices):
    """What the figures are for: only a gate evaluation is evidence a reviewer signs."""

    GATE = "gate", "Gate"
    SCHEDULED = "scheduled", "Scheduled"


class EvaluationState(models.TextChoices):
    """Where the job stands; the last three are final."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


OPEN_STATES = (EvaluationState.QUEUED, EvaluationState.RUNNING)
FINAL_STATES = (EvaluationState.DONE, EvaluationState.FAILED, EvaluationState.CANCELLED)


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    """Questions about many evaluations."""

    def open(self) -> Self:
        """Those that wait or run."""
        return self.filter(state__in=OPEN_STATES)

    def expired(self, *, now: datetime) -> Self:
        """Open ones nobody has answered for in time: the worker died or the message was lost."""
        return self.open().filter(lease_until__lt=now)

    def evidence(self) -> Self:
        """Finished gate evaluations of the artifact their version has now, newest first."""
        return self.filter(
            kind=EvaluationKind.GATE,
            state=EvaluationState.DONE,
            artifact_sha256=F("version__artifact_id"),
        ).order_by("-finished_at", "-pk")


class Evaluation(models.Model):
    """A job that measures one artifact on one data set, and its result once it is done.

    The digests are copied at the request, so the result says for ever which bytes it speaks of.
    """

    version = models.ForeignKey("registry.ModelVersion", models.PROTECT, related_name="evaluations")
    artifact_sha256 = models.CharField(max_length=64)
    dataset = models.ForeignKey("registry.DataSet", models.PROTECT, related_name="evaluations")
    dataset_sha256 = models.CharField(max_length=64)
    reference_dataset = models.ForeignKey(
        "registry.DataSet", models.PROTECT, null=True, blank=True, related_name="+"
    )  # the profile is frozen from it; null: from the data set itself
    reference_sha256 = models.CharField(max_length=64, blank=True, default="")
    kind = models.CharField(max_length=16, choices=EvaluationKind)
    protected_attributes = models.JSONField(default=list, blank=True)  # names of group columns
    favourable_label = models.PositiveIntegerField(null=True, blank=True)  # index of the class
    requested_by = models.CharField(max_length=200)  # opaque actor id
    requested_at = models.DateTimeField(default=clock.now)

    state = models.CharField(max_length=16, choices=EvaluationState, default=EvaluationState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)  # fencing token: the last claim wins
    lease_until = models.DateTimeField(null=True, blank=True)  # after it, the job is sent again
    cancel_requested = models.BooleanField(default=False)
    progress = models.FloatField(default=0.0)  # share of the work, 0..1
    device = models.CharField(max_length=32, blank=True, default="")
    started_at = models.DateTimeField(null=True, blank=True)  # of the last attempt
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")  # why it failed, a sentence
    results = models.JSONField(null=True, blank=True)
    evidence_digest = models.CharField(max_length=64, blank=True, default="")

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["version", "kind", "state"], name="idx_evaluation_evidence"),
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=("queued", "running")),
                name="idx_evaluation_open_lease",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="evaluation_kind_is_known", condition=Q(kind__in=EvaluationKind.values)
            ),
            models.CheckConstraint(
                name="evaluation_state_is_known", condition=Q(state__in=EvaluationState.values)
            ),
            models.CheckConstraint(
                name="an_evaluation_says_which_bytes_it_measures",
                condition=Q(artifact_sha256__regex=SHA256, dataset_sha256__regex=SHA256),
            ),
            models.CheckConstraint(
                name="evaluation_progress_is_a_share",
                condition=Q(progress__gte=0, progress__lte=1),
            ),
            models.CheckConstraint(
                name="evaluation_has_three_attempts_at_most",
                condition=Q(attempt__lte=MAX_ATTEMPTS),
            ),
            models.CheckConstraint(
                name="only_an_open_evaluation_has_a_lease",
                condition=Q(state__in=OPEN_STATES, lease_until__isnull=False)
                | Q(state__in=FINAL_STATES, lease_until__isnull=True),
            ),
            models.CheckConstraint(
                name="only_a_final_evaluation_has_finished",
                condition=Q(state__in=OPEN_STATES, finished_at__isnull=True)
                | Q(state__in=FINAL_STATES, finished_at__isnull=False),
            ),
            models.CheckConstraint(
                name="only_a_done_evaluation_has_results_and_a_digest",
                condition=Q(state="done", results__isnull=False, evidence_digest__regex=SHA256)
                | (~Q(state="done") & Q(results__isnull=True, evidence_digest="")),
            ),
            models.CheckConstraint(
                name="only_a_failed_evaluation_says_why",
                condition=(Q(state="failed") & ~Q(error="")) | (~Q(state="failed") & Q(error="")),
            ),
            models.CheckConstraint(
                name="protected_attributes_need_a_favourable_label",
                condition=Q(protected_attributes=[]) | Q(favourable_label__isnull=False),
            ),
            models.CheckConstraint(
                name="a_reference_data_set_comes_with_its_digest",
                condition=Q(reference_dataset__isnull=True, reference_sha256="")
                | Q(reference_dataset__isnull=False, reference_sha256__regex=SHA256),
            ),
            models.UniqueConstraint(
                fields=["version", "dataset", "kind"],
                condition=Q(state__in=("queued", "running")),
                name="one_open_evaluation_for_version_data_set_and_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"evaluation {self.pk} of {self.version} on {self.dataset}"
