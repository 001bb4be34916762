"""Files, addressed by what is in them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry import clock


class Artifact(models.Model):
    """One immutable file, stored under its own sha256."""

    class Format(models.TextChoices):
        SAFETENSORS = "safetensors"
        OPAQUE = "opaque", "opaque (never loaded)"

    sha256 = models.CharField(primary_key=True, max_length=64)
    size = models.PositiveBigIntegerField()  # bytes
    format = models.CharField(max_length=16, choices=Format)
    detected = models.CharField(max_length=64)  # what the first bytes say it is
    stored_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="sha256_is_64_hex_digits", condition=Q(sha256__regex=r"^[0-9a-f]{64}$")
            ),
        ]

    def __str__(self) -> str:
        return f"sha256:{self.sha256[:12]}…"


class DataSet(models.Model):
    """A named held-out data set; the name may move on, evaluations keep the digest they used."""

    name = models.CharField(max_length=200, unique=True)
    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="data_sets")
    uploaded_by = models.CharField(max_length=64)  # actor
    uploaded_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
