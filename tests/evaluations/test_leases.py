"""Leases: one valid attempt at a time, however messages and workers behave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from monitoring.evaluations import leases
from monitoring.evaluations.leases import CancelRequested, Lease, LeaseLost
from monitoring.models import Evaluation
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

Ask = Callable[..., Evaluation]
LATER = NOW + leases.LEASE + timedelta(seconds=1)


def claimed(evaluation: Evaluation) -> Lease:
    lease = leases.claim(evaluation.pk, now=NOW)
    assert lease is not None
    return lease


def hurry(lease: Lease) -> Lease:
    """Make the next sign of life due."""
    lease._saved -= leases.HEARTBEAT
    return lease


def test_a_claim_takes_the_evaluation_with_a_new_token(ask: Ask) -> None:
    lease = claimed(ask())

    held = lease.evaluation
    assert (held.state, held.attempt, held.started_at) == ("running", 1, NOW)
    assert held.lease_until == NOW + leases.LEASE


def test_a_message_that_arrives_twice_is_answered_once(ask: Ask) -> None:
    evaluation = ask()
    claimed(evaluation)

    assert leases.claim(evaluation.pk, now=NOW + timedelta(seconds=30)) is None
    assert Evaluation.objects.get().attempt == 1


def test_a_silent_worker_loses_its_evaluation_to_the_next(ask: Ask) -> None:
    evaluation = ask()
    first = claimed(evaluation)

    second = leases.claim(evaluation.pk, now=LATER)

    assert second is not None
    assert second.evaluation.attempt == 2
    assert not leases.held(first.evaluation).exists()
    assert leases.held(second.evaluation).exists()


def test_an_evaluation_has_three_attempts(ask: Ask) -> None:
    evaluation = ask()
    for attempt in range(3):
        assert leases.claim(evaluation.pk, now=NOW + attempt * (LATER - NOW)) is not None

    assert leases.claim(evaluation.pk, now=NOW + 3 * (LATER - NOW)) is None


def test_an_evaluation_that_does_not_exist_is_not_claimed(ask: Ask) -> None:
    assert leases.claim(ask().pk + 1, now=NOW) is None


def test_a_sign_of_life_saves_progress_and_renews_the_lease(ask: Ask) -> None:
    lease = hurry(claimed(ask()))

    lease.keep(0.4)

    row = Evaluation.objects.get()
    assert row.progress == 0.4
    assert row.lease_until is not None
    assert row.lease_until > NOW + leases.LEASE


def test_signs_of_life_are_a_second_apart(ask: Ask) -> None:
    lease = claimed(ask())

    lease.keep(0.4)

    assert Evaluation.objects.get().progress == 0.0


def test_an_overtaken_worker_is_told_at_its_next_sign_of_life(ask: Ask) -> None:
    evaluation = ask()
    lease = hurry(claimed(evaluation))
    leases.claim(evaluation.pk, now=LATER)

    with pytest.raises(LeaseLost):
        lease.keep(0.5)

    assert Evaluation.objects.get().progress == 0.0


def test_a_slow_worker_that_nobody_overtook_takes_its_evaluation_back(ask: Ask) -> None:
    lease = hurry(claimed(ask()))
    Evaluation.objects.update(state="queued")

    lease.keep(0.5)

    assert Evaluation.objects.get().state == "running"


def test_a_cancellation_is_noticed_at_the_next_sign_of_life(ask: Ask) -> None:
    lease = hurry(claimed(ask()))
    Evaluation.objects.update(cancel_requested=True)

    with pytest.raises(CancelRequested):
        lease.keep(0.5)


def test_time_passes_from_the_claim_on(ask: Ask) -> None:
    lease = claimed(ask())
    lease._begun -= 90

    assert timedelta(seconds=90) <= lease.now - NOW < timedelta(seconds=95)
