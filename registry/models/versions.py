"""Model versions: the registry's entries."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import GeneratedField, Q

from registry import clock
from registry.models.artifacts import Artifact
from registry.models.families import ModelFamily
from registry.models.stages import SERVING_STAGES, DeploymentStage
from registry.search import prefix_query


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    """Questions about many versions."""

    def serving(self) -> ModelVersionQuerySet:
        """Versions that receive live traffic now."""
        return self.filter(stage__in=SERVING_STAGES)

    def with_tags(self, tags: list[str]) -> ModelVersionQuerySet:
        """Versions that carry all of ``tags``; ``key:value`` asks for a value, ``key`` for any."""
        found = self
        for tag in tags:
            key, colon, value = tag.partition(":")
            wanted = Q(tags__key=key, tags__value=value) if colon else Q(tags__key=key)
            found = found.filter(wanted)
        return found

    def matching(self, text: str) -> ModelVersionQuerySet:
        """Versions in whose own words, or their family's, every word of ``text`` begins a word."""
        query = prefix_query(text)
        if query is None:
            return self.none() if text.strip() else self
        families = ModelFamily.objects.filter(search=query)
        return self.filter(Q(search=query) | Q(family__in=families))


class ModelVersion(models.Model):
    """One immutable artifact of a model, addressed by ``model_id``, and the stage it is in."""

    model_id = models.CharField(max_length=200, unique=True)
    family = models.ForeignKey(ModelFamily, models.PROTECT, related_name="versions")
    version = models.CharField(max_length=64)
    number = models.PositiveIntegerField()  # allocated by the family
    framework = models.CharField(max_length=64)
    model_type = models.CharField(max_length=64)
    owner = models.CharField(max_length=200)  # a username, or a group that means its members
    team = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    source = models.CharField(max_length=500, blank=True)
    run_id = models.CharField(max_length=200, blank=True)
    artifact_path = models.CharField(max_length=1000, blank=True)  # as the trainer declared it
    artifact = models.ForeignKey(Artifact, models.PROTECT, null=True, related_name="versions")
    declared_sha256 = models.CharField(max_length=64, blank=True)  # of an artifact kept elsewhere
    training_data_hash = models.CharField(max_length=200, blank=True)
    training_dataset_size = models.PositiveBigIntegerField(null=True)  # rows
    training_timestamp = models.DateTimeField(null=True)
    evaluation_metrics = models.JSONField(default=dict)  # declared by the trainer
    expected_latency_p95_ms = models.FloatField(null=True)
    metadata = models.JSONField(default=dict)
    stage = models.CharField(
        max_length=16, choices=DeploymentStage, default=DeploymentStage.DEVELOPMENT
    )
    stage_entered_at = models.DateTimeField(default=clock.now)
    canary_basis_points = models.PositiveIntegerField(null=True)  # 1/100 %
    registered_by = models.CharField(max_length=64)  # actor
    registered_at = models.DateTimeField(default=clock.now, editable=False)
    revision = models.PositiveBigIntegerField(default=1)  # the ETag
    search = GeneratedField(
        expression=SearchVector("model_id", "owner", "team", "description", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["stage", "-id"], name="versions_by_stage"),
            models.Index(fields=["framework", "-id"], name="versions_by_framework"),
            models.Index(fields=["team", "-id"], name="versions_by_team"),
            GinIndex(fields=["search"], name="versions_by_words"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["family", "version"], name="version_unique_in_family"),
            models.UniqueConstraint(fields=["family", "number"], name="number_unique_in_family"),
            models.UniqueConstraint(
                fields=["family"], condition=Q(stage="production"), name="one_production_a_family"
            ),
            models.CheckConstraint(
                name="share_only_in_canary",
                condition=Q(
                    stage="canary", canary_basis_points__gt=0, canary_basis_points__lt=10000
                )
                | (~Q(stage="canary") & Q(canary_basis_points__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.model_id

    @property
    def canary_percentage(self) -> Decimal | None:
        """Share of live traffic, 0 < percentage < 100; None outside canary."""
        points = self.canary_basis_points
        return None if points is None else Decimal(points) / 100

    @property
    def artifact_digest(self) -> str:
        """sha256 of the artifact, ours where uploaded, else the declared one, else ''."""
        return self.artifact_id or self.declared_sha256

    @property
    def is_serving(self) -> bool:
        return self.stage in SERVING_STAGES


class VersionTag(models.Model):
    """A key and value people sort versions by; a plain tag has an empty value."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="tags")
    key = models.CharField(max_length=250)
    value = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["key"]
        indexes = [models.Index(fields=["key", "value"], name="versions_by_tag")]
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="one_value_a_tag"),
        ]

    def __str__(self) -> str:
        return f"{self.key}:{self.value}" if self.value else self.key


class Part(models.TextChoices):
    """What makes somebody one of a model's own people."""

    REGISTRANT = "registrant"
    UPLOADER = "uploader"
    OWNER = "owner"
    REQUESTER = "requester"


class Stakeholder(models.Model):
    """One of the model's own people, who may not approve it. Never removed: once an owner, always.

    Either a user, or a name: of a user, or of a group that means its members.
    """

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="stakeholders")
    part = models.CharField(max_length=16, choices=Part)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "part", "user", "name"],
                name="each_stakeholder_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="stakeholder_is_a_user_or_a_name",
                condition=Q(user__isnull=False, name="") | (Q(user__isnull=True) & ~Q(name="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.user} ({self.part})"
