"""What people are told in the product itself, until they have read it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from registry import clock
from registry.models import Event


class Notice(models.Model):
    """One event that one person should know of. It holds no text: the record does."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    event = models.ForeignKey(Event, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["user", "-id"], name="unread_notices", condition=Q(read_at__isnull=True)
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "event"], name="one_notice_an_event"),
        ]

    def __str__(self) -> str:
        return f"{self.event} for {self.user}"
