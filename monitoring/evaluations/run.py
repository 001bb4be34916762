"""Measure what was asked for, once for all the messages that may arrive, and resend what got lost."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any

from django.db import DatabaseError, transaction

from monitoring.evaluations import blobs, dispatch, leases, record
from monitoring.evaluations.leases import CancelRequested, Lease, LeaseLost
from monitoring.evaluations.refusals import NotMeasurable
from monitoring.evaluations.requests import PATIENCE
from monitoring.models import Evaluation, EvaluationState
from monitoring.models.evaluation import MAX_ATTEMPTS
from registry import actors

log = logging.getLogger(__name__)

LONGEST_REASON = 1000  # characters of an unforeseen error


def run(evaluation_id: int, *, now: datetime) -> None:
    """Claim an evaluation, measure, record. Does nothing where another worker has it.

    It ends done, failed with its reason, or cancelled. Only a worker that dies, or loses the
    database, leaves it to the sweeper.
    """
    lease = leases.claim(evaluation_id, now=now)
    if lease is None:
        log.info("evaluation %s needs no worker", evaluation_id)
        return
    with Attempt(lease):
        results = measured(lease)
        record.complete(lease.evaluation, results, now=lease.now)


@transaction.atomic
def resend_expired(*, now: datetime) -> list[int]:
    """Send again what nobody has answered for; after three attempts it has failed.

    Returns:
        The ids that were sent again.
    """
    silent = Evaluation.objects.expired(now=now).select_related("version")
    resent = []
    for evaluation in silent.select_for_update(skip_locked=True, of=("self",)):
        if evaluation.cancel_requested:
            record.cancel(evaluation, actor=actors.EVALUATOR, now=now)
        elif evaluation.attempt >= MAX_ATTEMPTS:
            record.fail(evaluation, _gave_up(evaluation), now=now)
        else:
            _resend(evaluation, now)
            resent.append(evaluation.pk)
    return resent


def measured(lease: Lease) -> dict[str, Any]:
    """The results for what the evaluation asks.

    Raises:
        NotMeasurable: The artifact or the data cannot be used.
        LeaseLost: The attempt is no longer the valid one.
        CancelRequested: The evaluation should stop.
    """
    # Imported here: the web process and the control worker have no torch.
    from monitoring.evaluations import datasets, inference, loading, measure

    evaluation = lease.evaluation
    inference.leave_a_core_free()
    reference = evaluation.reference_sha256
    return measure.measure(
        loading.load(blobs.verify(evaluation.artifact_sha256)),
        datasets.load(blobs.verify(evaluation.dataset_sha256)),
        measure.Plan(
            protected_attributes=evaluation.protected_attributes,
            favourable_label=evaluation.favourable_label,
            device=inference.pick_device(),
        ),
        reference=datasets.load(blobs.verify(reference)) if reference else None,
        on_progress=lease.keep,
    )


ANSWERS = (LeaseLost, CancelRequested, NotMeasurable)


class Attempt:
    """However a measurement ends, its row says so."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease

    def __enter__(self) -> None:
        """Nothing to prepare: the claim is the beginning."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Record the end; refusals and cancellations are answers, anything else is raised on."""
        with suppress(LeaseLost):
            self._settle(error)
        return isinstance(error, ANSWERS)

    def _settle(self, error: BaseException | None) -> None:
        evaluation, now = self.lease.evaluation, self.lease.now
        match error:
            case LeaseLost():
                log.warning("attempt %s at %s was overtaken", evaluation.attempt, evaluation)
            case CancelRequested():
                record.cancel(evaluation, actor=actors.EVALUATOR, now=now)
            case NotMeasurable():
                record.fail(evaluation, str(error), now=now)
            case DatabaseError():
                log.warning("%s is left to the sweeper: %s", evaluation, error)
            case Exception():
                reason = f"{type(error).__name__}: {error}"[:LONGEST_REASON]
                record.fail(evaluation, reason, now=now)


def _resend(evaluation: Evaluation, now: datetime) -> None:
    evaluation.state = EvaluationState.QUEUED
    evaluation.lease_until = now + PATIENCE
    evaluation.save(update_fields=["state", "lease_until"])
    dispatch.send_after_commit(evaluation.pk)


def _gave_up(evaluation: Evaluation) -> str:
    return (
        f"{MAX_ATTEMPTS} workers took this evaluation and none gave an answer; the last lease ran "
        f"out at {evaluation.lease_until:%Y-%m-%d %H:%M:%S} UTC. Their log says what stopped them."
    )
