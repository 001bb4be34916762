"""Hold an evaluation while measuring it: claim with a fencing token, renew, notice a cancellation."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from monitoring.models import Evaluation, EvaluationState
from monitoring.models.evaluation import MAX_ATTEMPTS

LEASE = timedelta(seconds=60)  # without a sign of life for this long, the worker counts as dead
HEARTBEAT = 1.0  # seconds between two signs of life


class LeaseLost(Exception):
    """Another worker has the evaluation, or it has ended: this attempt must not write."""


class CancelRequested(Exception):
    """Somebody asked for this evaluation to stop."""


@dataclass
class Lease:
    """One attempt at one evaluation; ``evaluation.attempt`` is its fencing token."""

    evaluation: Evaluation
    claimed_at: datetime
    _begun: float = field(default_factory=time.monotonic)
    _saved: float = field(default_factory=time.monotonic)

    @property
    def now(self) -> datetime:
        """The time of the claim and what has passed since."""
        return self.claimed_at + timedelta(seconds=time.monotonic() - self._begun)

    def keep(self, share: float) -> None:
        """Save progress and renew the lease, at most once a second.

        Args:
            share: Of the work that is done, 0..1.

        Raises:
            LeaseLost: The attempt is no longer the valid one.
            CancelRequested: The evaluation should stop.
        """
        if time.monotonic() - self._saved < HEARTBEAT:
            return
        self._saved = time.monotonic()
        changed = held(self.evaluation).update(
            state=EvaluationState.RUNNING, progress=share, lease_until=self.now + LEASE
        )
        if not changed:
            raise LeaseLost
        if held(self.evaluation).filter(cancel_requested=True).exists():
            raise CancelRequested


@transaction.atomic
def claim(evaluation_id: int, *, now: datetime) -> Lease | None:
    """Take an evaluation that waits, or whose worker went silent.

    Returns:
        The lease; None where there is nothing to do: a message may arrive twice.
    """
    waiting = Q(state=EvaluationState.QUEUED)
    silent = Q(state=EvaluationState.RUNNING, lease_until__lt=now)
    taken = Evaluation.objects.filter(
        waiting | silent, pk=evaluation_id, attempt__lt=MAX_ATTEMPTS, cancel_requested=False
    ).update(
        state=EvaluationState.RUNNING,
        attempt=F("attempt") + 1,
        lease_until=now + LEASE,
        started_at=now,
        progress=0.0,
    )
    if not taken:
        return None
    # The update holds the row until commit, so the attempt read here is the one just written.
    return Lease(Evaluation.objects.select_related("version").get(pk=evaluation_id), now)


def held(evaluation: Evaluation) -> QuerySet[Evaluation]:
    """The row, as long as this attempt is the valid one and nothing has ended it."""
    return Evaluation.objects.open().filter(pk=evaluation.pk, attempt=evaluation.attempt)
