"""Write down how an evaluation ended: one transaction, one event, only while the lease holds."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import transaction

from monitoring.evaluations.leases import LeaseLost, held
from monitoring.models import Evaluation, EvaluationState
from registry import actors
from registry.ledger import events


def digest(results: Any) -> str:
    """sha256 over the canonical JSON of the results: what a reviewer's signature binds.

    Keys are sorted, nothing is padded, whole numbers have no decimal point (RFC 8785). So the
    digest is the same before storing and after any number of trips through the database.

    Raises:
        ValueError: A number is not finite.
    """
    canonical = json.dumps(
        _canonical(results),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


@transaction.atomic
def complete(evaluation: Evaluation, results: dict[str, Any], *, now: datetime) -> None:
    """Keep the results and their digest.

    Raises:
        LeaseLost: Another attempt has taken over; nothing was written.
        ValueError: A figure is not finite.
    """
    evidence = digest(results)
    _end(
        evaluation,
        EvaluationState.DONE,
        now,
        results=results,
        evidence_digest=evidence,
        device=results["environment"]["device"],
        progress=1.0,
    )
    events.record(
        "evaluation.completed",
        subject=evaluation.version,
        actor=actors.EVALUATOR,
        payload=_facts(evaluation)
        | {"evidence_digest": evidence, "bias_verdict": results["bias"]["verdict"]},
    )


@transaction.atomic
def fail(evaluation: Evaluation, reason: str, *, now: datetime) -> None:
    """Keep why there are no results.

    Raises:
        LeaseLost: Another attempt has taken over; nothing was written.
    """
    _end(evaluation, EvaluationState.FAILED, now, error=reason)
    events.record(
        "evaluation.failed",
        subject=evaluation.version,
        actor=actors.EVALUATOR,
        payload=_facts(evaluation),
        remark=events.remark(reason),
    )


@transaction.atomic
def cancel(evaluation: Evaluation, *, actor: str, now: datetime) -> None:
    """Keep that it was stopped on request.

    Raises:
        LeaseLost: Another attempt has taken over; nothing was written.
    """
    _end(evaluation, EvaluationState.CANCELLED, now)
    events.record(
        "evaluation.cancelled",
        subject=evaluation.version,
        actor=actor,
        payload=_facts(evaluation),
    )


def _end(evaluation: Evaluation, state: EvaluationState, now: datetime, **outcome: Any) -> None:
    ended = held(evaluation).update(state=state, finished_at=now, lease_until=None, **outcome)
    if not ended:
        raise LeaseLost


def _facts(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "evaluation_id": evaluation.pk,
        "kind": evaluation.kind,
        "attempt": evaluation.attempt,
    }


def _canonical(value: Any) -> Any:
    """The value with every whole float as an integer: PostgreSQL and JSON do not keep 1.0 apart."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
