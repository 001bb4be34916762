"""Deployment stages, the moves between them, and the proof that a move was allowed."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from registry import clock


class DeploymentStage(models.TextChoices):
    DEVELOPMENT = "development"
    SANDBOX = "sandbox"
    CANARY = "canary"
    PRODUCTION = "production"
    ROLLBACK = "rollback"
    ARCHIVED = "archived"


GATED_STAGES = (DeploymentStage.CANARY, DeploymentStage.PRODUCTION)
SERVING_STAGES = (DeploymentStage.CANARY, DeploymentStage.PRODUCTION)


class Attestation(models.Model):
    """A gate's statement that one version may enter one stage. Written by governance.gates."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(
        "registry.ModelVersion", models.PROTECT, related_name="attestations"
    )
    stage = models.CharField(max_length=16, choices=DeploymentStage)
    subject_digest = models.CharField(max_length=64)  # sha256 of what was approved
    artifact_sha256 = models.CharField(max_length=64, blank=True)  # "" where none was uploaded
    approved_by = models.JSONField(default=list)  # actors
    checks = models.JSONField(default=dict)  # check → verdict
    attested_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=64, blank=True)  # actor

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["id", "version", "stage"], name="attestation_speaks_of_one_move"
            ),
            models.CheckConstraint(
                name="only_gated_stages_are_attested", condition=Q(stage__in=GATED_STAGES)
            ),
            models.CheckConstraint(
                name="revocation_says_who_and_when",
                condition=Q(revoked_at__isnull=True, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} may enter {self.stage}"


class TransitionKind(models.TextChoices):
    REGISTERED = "registered"
    PROMOTED = "promoted"
    ADJUSTED = "adjusted"  # canary share
    WITHDRAWN = "withdrawn"  # down, without blame
    ROLLED_BACK = "rolled_back"
    RESTORED = "restored"  # to production, by another's rollback
    RETRIED = "retried"  # rollback or archived back to sandbox
    ARCHIVED = "archived"


class StageTransition(models.Model):
    """One move of one version. Append-only; the database refuses a gated one without proof."""

    version = models.ForeignKey("registry.ModelVersion", models.PROTECT, related_name="transitions")
    kind = models.CharField(max_length=16, choices=TransitionKind)
    from_stage = models.CharField(max_length=16, choices=DeploymentStage, blank=True)  # "": new
    to_stage = models.CharField(max_length=16, choices=DeploymentStage)
    canary_basis_points = models.PositiveIntegerField(null=True)  # 1/100 %, canary only
    # With version and to_stage this is a composite foreign key: see the migration.
    attestation = models.ForeignKey(Attestation, models.PROTECT, null=True, related_name="+")
    cause = models.ForeignKey("self", models.PROTECT, null=True, related_name="effects")
    actor = models.CharField(max_length=64)
    remark = models.ForeignKey("registry.Remark", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["version", "-id"], name="transitions_of_a_version"),
            models.Index(fields=["kind", "at"], name="transitions_of_a_kind"),
        ]
        constraints = [
            models.CheckConstraint(
                name="gated_stage_needs_attestation",
                condition=~Q(to_stage__in=GATED_STAGES) | Q(attestation__isnull=False),
            ),
            models.CheckConstraint(
                name="transition_share_only_in_canary",
                condition=Q(to_stage="canary", canary_basis_points__gt=0)
                | (~Q(to_stage="canary") & Q(canary_basis_points__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.from_stage or 'new'} → {self.to_stage}"
