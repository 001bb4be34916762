"""Registered models, and how their live traffic is shared."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import GeneratedField, Q

from registry import clock


class RiskTier(models.TextChoices):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ModelFamily(models.Model):
    """One registered model: all versions of one name. Its row is the lock of every stage change."""

    name = models.CharField(max_length=256, unique=True)
    description = models.TextField(blank=True)
    owner = models.CharField(max_length=200)
    team = models.CharField(max_length=200)
    risk_tier = models.CharField(max_length=8, choices=RiskTier, default=RiskTier.MEDIUM)
    last_number = models.PositiveIntegerField(default=0)  # numbers are never given twice
    canary_basis_points = models.IntegerField(default=0, editable=False)  # kept by a trigger
    generation = models.PositiveBigIntegerField(default=0)  # stage changes so far
    created_at = models.DateTimeField(default=clock.now, editable=False)
    revision = models.PositiveBigIntegerField(default=1)  # the ETag
    search = GeneratedField(
        expression=SearchVector("name", "description", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        verbose_name_plural = "model families"
        ordering = ["name"]
        indexes = [GinIndex(fields=["search"], name="families_by_words")]
        constraints = [
            models.CheckConstraint(
                name="canaries_leave_room_for_production",
                condition=Q(canary_basis_points__gte=0, canary_basis_points__lte=9999),
            ),
        ]

    def __str__(self) -> str:
        return self.name


def new_salt() -> str:
    """A salt for a family's buckets, so that families do not put the same users first."""
    return secrets.token_hex(8)


def no_targets() -> list[dict[str, Any]]:
    return []


class TrafficPlan(models.Model):
    """Which share of a family's requests each version should answer now (desired state)."""

    family = models.OneToOneField(ModelFamily, models.CASCADE, related_name="traffic")
    revision = models.PositiveBigIntegerField(default=0)  # grows with every stage change
    salt = models.CharField(max_length=64, default=new_salt)
    targets = models.JSONField(default=no_targets)  # see registry.routing
    changed_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.family} traffic, revision {self.revision}"
