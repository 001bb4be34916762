"""Since when somebody has been there to hear reports."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Listening(models.Model):
    """The one row of since when, without a break, silence has been looked for."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    since = models.DateTimeField()
    last = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="listening_is_one_row", condition=Q(id=1)),
            models.CheckConstraint(
                name="listening_begins_before_it_ends", condition=Q(since__lte=F("last"))
            ),
        ]

    def __str__(self) -> str:
        return f"from {self.since:%Y-%m-%d %H:%M:%S} to {self.last:%Y-%m-%d %H:%M:%S}"
