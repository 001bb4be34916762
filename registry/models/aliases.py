"""Aliases: names that people move from one version of a model to another."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry import clock
from registry.models.families import ModelFamily
from registry.models.versions import ModelVersion


class Alias(models.Model):
    """A name, such as ``champion``, that means one version of its model until it is moved.

    A composite foreign key holds the version to the alias's own family.
    """

    family = models.ForeignKey(ModelFamily, models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=255)
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="aliases")
    revision = models.PositiveBigIntegerField()  # of the family when it was set: never used twice
    set_by = models.CharField(max_length=64)  # actor
    set_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "aliases"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["family", "name"], name="one_version_an_alias"),
            models.CheckConstraint(
                name="alias_looks_like_no_version",
                condition=Q(name__regex=r"^[A-Za-z0-9_-]+$")
                & ~Q(name__iregex=r"^(v?[0-9]+|latest)$"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.family}@{self.name}"
