"""Runs of playbooks: what was to be done, how far it has come, and who is at it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry import clock
from registry.models import Event, ModelFamily, ModelVersion


class RunState(models.TextChoices):
    WAITING = "waiting"  # as many are under way as the playbook allows
    RUNNING = "running"
    UNDOING = "undoing"  # a step failed; what was done is being compensated
    DONE = "done"
    STOPPED = "stopped"  # a step found that there is nothing to do any more
    FAILED = "failed"
    THROTTLED = "throttled"  # too many began lately; nothing was done


UNFINISHED = (RunState.WAITING, RunState.RUNNING, RunState.UNDOING)


class PlaybookRun(models.Model):
    """One answer of one playbook to one occasion, with the playbook as it was at its start."""

    playbook = models.CharField(max_length=64)
    definition = models.TextField()  # its YAML: edits do not reach a run that has begun
    digest = models.CharField(max_length=64)  # sha256 of the definition
    event = models.ForeignKey(Event, models.PROTECT, related_name="+")
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, related_name="playbook_runs"
    )
    key = models.TextField()  # the occasion
    state = models.CharField(max_length=9, choices=RunState, default=RunState.RUNNING)
    manner = models.CharField(max_length=6, default="tx")  # of the step that is due next
    due_at = models.DateTimeField()  # when the next step is
    deadline_at = models.DateTimeField()
    attempt = models.PositiveIntegerField(default=0)  # fencing token: only its holder settles
    leased_until = models.DateTimeField(null=True)
    frozen_family = models.ForeignKey(ModelFamily, models.PROTECT, null=True, related_name="+")
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="unfinished_playbook_runs",
                condition=Q(ended_at__isnull=True),
            ),
            models.Index(fields=["playbook", "-started_at"], name="runs_of_a_playbook"),
            models.Index(fields=["version", "-id"], name="playbook_runs_of_a_version"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "key"], name="an_occasion_is_answered_once"
            ),
            models.CheckConstraint(
                name="an_ended_run_says_when",
                condition=Q(ended_at__isnull=True, state__in=UNFINISHED)
                | (Q(ended_at__isnull=False) & ~Q(state__in=UNFINISHED)),
            ),
            models.CheckConstraint(
                name="an_ended_run_freezes_nothing",
                condition=Q(ended_at__isnull=True) | Q(frozen_family__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.playbook} #{self.pk}"


class StepState(models.TextChoices):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"  # the run ended before its turn


class PlaybookStep(models.Model):
    """One step of a run, and what came of it."""

    run = models.ForeignKey(PlaybookRun, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.TextField()
    kind = models.CharField(max_length=32)
    undoes = models.PositiveSmallIntegerField(null=True)  # the position it compensates
    state = models.CharField(max_length=8, choices=StepState, default=StepState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)  # of the last attempt that failed
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="one_step_a_position"),
            models.CheckConstraint(
                name="a_settled_step_says_when",
                condition=Q(settled_at__isnull=True, state="pending")
                | (Q(settled_at__isnull=False) & ~Q(state="pending")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of run {self.run_id}"
