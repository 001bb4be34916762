"""The record: every fact, and what is still owed to whoever wants to hear of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from registry import clock


class Remark(models.Model):
    """Free text somebody wrote. Events hold its salted digest, so the text can be erased."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    text = models.TextField(blank=True)
    salt = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)  # of salt and text
    written_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.text


class Event(models.Model):
    """One fact that happened. Append-only: the audit log is this table, the event bus reads it."""

    event_type = models.CharField(max_length=100)
    source = models.CharField(max_length=100)  # the app that recorded it
    version = models.ForeignKey(
        "registry.ModelVersion", models.PROTECT, null=True, related_name="events"
    )
    actor = models.CharField(max_length=64)  # opaque: "user:7", "system:monitor"
    payload = models.JSONField(default=dict)
    remark = models.ForeignKey(Remark, models.PROTECT, null=True, related_name="+")
    format = models.PositiveSmallIntegerField(default=1)
    timestamp = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["version", "-id"], name="events_of_a_version"),
            models.Index(fields=["event_type", "-id"], name="events_of_a_type"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} #{self.pk}"


class Subscription(models.Model):
    """Somebody outside the product's own wiring who is owed events of some types."""

    name = models.CharField(max_length=200, unique=True)
    event_types = models.JSONField(default=list)
    handler = models.CharField(max_length=300, blank=True)  # dotted path; "" is pulled over HTTP
    created_by = models.CharField(max_length=64)  # actor
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DeliveryState(models.TextChoices):
    OWED = "owed"
    DONE = "done"
    PARKED = "parked"  # gave up after too many failures; a person may retry


class Delivery(models.Model):
    """One event owed to one subscriber, until it is done or parked."""

    event = models.ForeignKey(Event, models.PROTECT, related_name="deliveries")
    subscriber = models.CharField(max_length=300)  # dotted path, or "subscription:<name>"
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.OWED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=clock.now)
    lease = models.UUIDField(null=True)  # who is at it now
    leased_until = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="owed_deliveries", condition=Q(state="owed")
            ),
            models.Index(
                fields=["subscriber", "id"],
                name="owed_to_a_subscriber",
                condition=Q(state="owed"),
            ),
            models.Index(fields=["id"], name="parked_deliveries", condition=Q(state="parked")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "subscriber"], name="an_event_is_owed_once_to_each"
            ),
            models.CheckConstraint(
                name="lease_says_who_and_until_when",
                condition=Q(lease__isnull=True, leased_until__isnull=True)
                | Q(lease__isnull=False, leased_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.subscriber}"
