"""What reviewers decide, and the cards they decide on."""

from __future__ import annotations

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
