"""Who wants to hear of which registered model."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from registry import clock
from registry.models import ModelFamily


class Following(models.Model):
    """What one person said about hearing of one registered model; who said nothing has no row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="followings")
    family = models.ForeignKey(ModelFamily, models.CASCADE, related_name="followings")
    follows = models.BooleanField()  # false: tell me what is critical only, if at all
    said_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "family"], name="one_following_a_model"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {'follows' if self.follows else 'does not follow'} {self.family}"
