"""Receivers of events over HTTP, and what became of each attempt to reach them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from registry import clock
from registry.models.ledger import Delivery


class Webhook(models.Model):
    """A URL that is sent events of some types, signed with a secret that only its owner knows.

    Secrets are kept encrypted (registry.sealing): signing needs them, reading does not.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.URLField(max_length=2000)
    event_types = models.JSONField(default=list)
    description = models.CharField(max_length=500, blank=True)
    secret = models.TextField()  # sealed
    former_secret = models.TextField(blank=True)  # sealed; signs too until it ends
    former_until = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=64)  # actor
    created_at = models.DateTimeField(default=clock.now)
    disabled_at = models.DateTimeField(null=True)
    disabled_why = models.TextField(blank=True)
    revision = models.PositiveBigIntegerField(default=1)  # the ETag

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="a_disabled_webhook_says_since_when_and_why",
                condition=Q(disabled_at__isnull=True, disabled_why="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_why="")),
            ),
            models.CheckConstraint(
                name="a_former_secret_has_an_end",
                condition=Q(former_secret="", former_until__isnull=True)
                | (~Q(former_secret="") & Q(former_until__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookAttempt(models.Model):
    """One request to a webhook, and how it was answered. Kept for thirty days."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="attempts")
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts_made")
    at = models.DateTimeField(default=clock.now)
    duration_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)  # null: no answer came
    error = models.TextField(blank=True)
    answer = models.TextField(blank=True)  # its first characters

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="attempts_of_a_webhook"),
            models.Index(fields=["at"], name="attempts_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.webhook} {self.status or self.error}"
