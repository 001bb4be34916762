"""What reviewers decide, the cards they decide on, and how canaries progress."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from registry import clock
from registry.models import ModelVersion, Remark


class Check(models.TextChoices):
    """The two ticks every promotion to live traffic needs."""

    CONSTITUTIONAL_COMPLIANCE = "constitutional_compliance", "constitutional compliance"
    BIAS = "bias", "bias"


class CheckVerdict(models.TextChoices):
    PASS = "pass", "pass"
    FAIL = "fail", "fail"
    UNKNOWN = "unknown", "unknown"
    NOT_APPLICABLE = "not_applicable", "not applicable"


class Scope(models.TextChoices):
    """What an approval covers: all live traffic, or one stage of it (tier high)."""

    SERVING = "serving"
    CANARY = "canary"
    PRODUCTION = "production"


class CheckResult(models.Model):
    """A reviewer's verdict on one check of one subject. Append-only; the latest counts."""

    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="check_results")
    check_name = models.CharField(max_length=64, choices=Check)
    verdict = models.CharField(max_length=16, choices=CheckVerdict)
    subject_digest = models.CharField(max_length=64)  # of what the reviewer saw, scope serving
    subject = models.JSONField()  # what was digested, so that a change can be named
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    remark = models.ForeignKey(Remark, models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["version", "check_name", "-id"], name="latest_check_result")
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.get_check_name_display()} {self.verdict}"


class Approval(models.Model):
    """A reviewer's signature under one subject. The database refuses the model's own people.

    It is never changed but by being withdrawn, once.
    """

    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="approvals")
    scope = models.CharField(max_length=16, choices=Scope)
    subject_digest = models.CharField(max_length=64)  # sha256, see governance.subjects
    subject = models.JSONField()  # what was digested, so that a change can be named
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    role = models.CharField(max_length=32)  # the role it was signed in
    printed_name = models.CharField(max_length=200)
    meaning = models.CharField(max_length=300)
    remark = models.ForeignKey(Remark, models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.CharField(max_length=64, blank=True)  # actor

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "scope", "subject_digest", "approver"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_standing_signature_each",
            ),
            models.CheckConstraint(
                name="digest_is_64_hex_digits", condition=Q(subject_digest__regex=r"^[0-9a-f]{64}$")
            ),
            models.CheckConstraint(
                name="withdrawal_says_who_and_when",
                condition=Q(withdrawn_at__isnull=True, withdrawn_by="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.printed_name} approves {self.version} for {self.scope}"


class ModelCard(models.Model):
    """One revision of a version's model card. Append-only: a new fact makes a new revision.

    People are in it by their opaque ids; names are put in where it is read (governance.carding).
    """

    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="cards")
    revision = models.PositiveIntegerField()
    content = models.JSONField()  # the card as data; Markdown and HTML are made from it
    content_sha256 = models.CharField(max_length=64)
    generated_by = models.CharField(max_length=64)  # actor
    generated_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-revision"]
        constraints = [
            models.UniqueConstraint(fields=["version", "revision"], name="one_card_a_revision"),
        ]

    def __str__(self) -> str:
        return f"card {self.revision} of {self.version}"


class Review(ModelVersion):
    """A model version as reviewers see it: what the governance console lists."""

    class Meta:
        proxy = True
        ordering = ["-pk"]


class ProgressionState(models.TextChoices):
    RUNNING = "running"
    WAITING = "waiting"  # for a person, or at a closed gate
    PAUSED = "paused"
    DONE = "done"
    ABORTED = "aborted"


class Progression(models.Model):
    """One canary's way through its steps towards production; at most one of a version unfinished."""

    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="progressions")
    steps = models.JSONField()  # governance.progressions.steps
    position = models.PositiveSmallIntegerField()  # of the step it is in, from 0
    state = models.CharField(
        max_length=16, choices=ProgressionState, default=ProgressionState.RUNNING
    )
    waits_for = models.JSONField(default=list)  # sentences made of figures, never people's words
    remark = models.ForeignKey(Remark, models.PROTECT, null=True, related_name="+")  # the latest
    started_by = models.CharField(max_length=64)  # actor
    started_at = models.DateTimeField(default=clock.now)
    entered_step_at = models.DateTimeField(default=clock.now)
    paused_for = models.DurationField(default=timedelta)  # within this step, but for a pause now
    paused_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(default=clock.now)  # when it is looked at next
    deadline_at = models.DateTimeField()  # to have left this step
    stalled_at = models.DateTimeField(null=True, blank=True)  # people were called about this step
    ended_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["due_at"], name="due_progressions", condition=Q(ended_at__isnull=True)
            ),
            models.Index(fields=["version", "-id"], name="progressions_of_a_version"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(ended_at__isnull=True),
                name="one_unfinished_progression_each",
            ),
            models.CheckConstraint(
                name="finished_progressions_have_an_end",
                condition=Q(state__in=["done", "aborted"], ended_at__isnull=False)
                | (~Q(state__in=["done", "aborted"]) & Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="paused_progressions_say_since_when",
                condition=Q(state="paused", paused_at__isnull=False)
                | (~Q(state="paused") & Q(paused_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"progression {self.pk} of {self.version}"
