"""When a model is rolled back: the seed's thresholds unless its policy says otherwise."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from monitoring.triggers import Rule
from registry.models import ModelFamily

LONGEST_WINDOW_MINUTES = 7 * 24 * 60


class WithoutPredecessor(models.TextChoices):
    """What becomes of a production version that has nothing to hand back to."""

    WITHDRAW = "withdraw", "withdraw it: the caller's fallback answers"
    HOLD = "hold", "hold it in production and call people"


class ModeOnBreach(models.TextChoices):
    ROLLBACK = "rollback", "roll back"
    NOTIFY = "notify", "open an incident only"


class RuleInForce(models.TextChoices):
    """Which rule's verdicts are acted on; both are always computed."""

    THRESHOLD = Rule.THRESHOLD.value, "threshold: the window is over it"
    EVIDENCE = Rule.EVIDENCE.value, "evidence: it is so beyond doubt"


class RollbackPolicy(models.Model):
    """The thresholds and manners of one registered model's rollback."""

    family = models.OneToOneField(ModelFamily, models.CASCADE, related_name="rollback_policy")
    rule = models.CharField(max_length=16, choices=RuleInForce, default=RuleInForce.THRESHOLD)
    max_error_rate = models.FloatField(default=0.05)  # share of requests
    max_latency_factor = models.FloatField(default=1.5)  # of the expected p95
    max_ood_rate = models.FloatField(default=0.20)  # share of requests
    max_input_drift = models.FloatField(default=0.3)  # score, 0..1
    window_minutes = models.PositiveIntegerField(default=10)
    min_requests = models.PositiveIntegerField(default=100)
    min_requests_drift = models.PositiveIntegerField(default=200)
    bake_minutes = models.PositiveIntegerField(null=True, blank=True)  # null: one window
    initial_delay_seconds = models.PositiveIntegerField(default=0)  # after stage entry
    cooldown_seconds = models.PositiveIntegerField(default=1800)  # between production hand-backs
    mode = models.CharField(max_length=16, choices=ModeOnBreach, default=ModeOnBreach.ROLLBACK)
    dry_run = models.BooleanField(default=False)
    hold_on_shared_cause = models.BooleanField(default=True)
    without_predecessor = models.CharField(
        max_length=16, choices=WithoutPredecessor, default=WithoutPredecessor.WITHDRAW
    )
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "rollback policies"
        constraints = [
            models.CheckConstraint(
                name="rate_thresholds_are_shares",
                condition=Q(
                    max_error_rate__gt=0,
                    max_error_rate__lt=1,
                    max_ood_rate__gt=0,
                    max_ood_rate__lt=1,
                    max_input_drift__gt=0,
                    max_input_drift__lt=1,
                ),
            ),
            models.CheckConstraint(
                name="latency_factor_is_at_least_one", condition=Q(max_latency_factor__gte=1)
            ),
            models.CheckConstraint(
                name="windows_are_not_empty",
                condition=Q(window_minutes__gt=0, min_requests__gt=0, min_requests_drift__gt=0),
            ),
            models.CheckConstraint(
                name="windows_are_a_week_at_most",
                condition=Q(window_minutes__lte=LONGEST_WINDOW_MINUTES),
                violation_error_message=f"Look back at most {LONGEST_WINDOW_MINUTES} minutes.",
            ),
        ]

    def __str__(self) -> str:
        return f"rollback policy of {self.family}"
