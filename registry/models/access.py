"""Bearer tokens of jobs and people."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from registry import clock
from registry.models.families import ModelFamily


class ApiToken(models.Model):
    """A credential of one user, kept as a digest; shown once, when it is issued.

    A trigger refuses new ones of role serving that name no model (migration 0013).
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True)  # sha256 of the token
    role = models.CharField(max_length=32)
    scopes = models.JSONField(default=list)
    family = models.ForeignKey(
        ModelFamily, models.CASCADE, null=True, blank=True, related_name="+"
    )  # null: any
    team = models.CharField(max_length=200, blank=True)  # "": any
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # kept to the minute
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.role} token of {self.user}"


class KeptAnswer(models.Model):
    """The answer to one POST with an Idempotency-Key, replayed to whoever repeats it.

    Written in the transaction of what the POST did, so the two are kept or lost together.
    """

    caller = models.CharField(max_length=64)  # "token:7" or an actor
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)  # of path and body
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)  # JSON, sealed
    kept_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="one_answer_a_key"),
        ]

    def __str__(self) -> str:
        return f"answer to {self.caller} {self.key}"
