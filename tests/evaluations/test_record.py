"""Results and their digest: stable through the database, written only by the valid attempt."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.evaluations import leases, record
from monitoring.evaluations.leases import LeaseLost
from monitoring.models import Evaluation
from registry.models import Event
from tests.conftest import NOW

Ask = Callable[..., Evaluation]

RESULTS: dict[str, Any] = {
    "environment": {"device": "cpu"},
    "bias": {"verdict": "fail"},
    "figures": {"whole": 1.0, "tiny": 1e-07, "great": 1e22, "nought": -0.0, "odd": 0.1 + 0.2},
    "pair": (1, 2.5),
    "name": "Größe",
    "absent": None,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def running(evaluation: Evaluation) -> Evaluation:
    lease = leases.claim(evaluation.pk, now=NOW)
    assert lease is not None
    return lease.evaluation


def test_the_digest_is_sha256_of_sorted_json_without_padding() -> None:
    canonical = '{"a":[1,0.5,null,true],"b":"é"}'

    found = record.digest({"b": "é", "a": (1.0, 0.5, None, True)})

    assert found == hashlib.sha256(canonical.encode()).hexdigest()


def test_another_figure_gives_another_digest() -> None:
    assert record.digest({"auroc": 0.9}) != record.digest({"auroc": 0.90000001})


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4))
def test_the_order_of_keys_does_not_matter(results: dict[str, Any]) -> None:
    reordered = dict(reversed(results.items()))

    assert record.digest(reordered) == record.digest(results)


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_a_figure_that_is_not_finite_has_no_digest(figure: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        record.digest({"auroc": figure})


@pytest.mark.django_db
def test_the_digest_survives_the_database(ask: Ask) -> None:
    record.complete(running(ask()), RESULTS, now=NOW)

    row = Evaluation.objects.get()

    assert row.evidence_digest == record.digest(RESULTS) == record.digest(row.results)


@pytest.mark.django_db
def test_completion_is_one_row_and_one_event(ask: Ask) -> None:
    evaluation = running(ask())

    record.complete(evaluation, RESULTS, now=NOW)

    row = Evaluation.objects.get()
    assert (row.state, row.progress, row.device) == ("done", 1.0, "cpu")
    assert (row.finished_at, row.lease_until) == (NOW, None)
    event = Event.objects.get(event_type="evaluation.completed")
    assert event.actor == "system:evaluator"
    assert event.version == row.version
    assert event.payload == {
        "model_id": row.version.model_id,
        "evaluation_id": row.pk,
        "kind": "gate",
        "attempt": 1,
        "evidence_digest": row.evidence_digest,
        "bias_verdict": "fail",
    }


@pytest.mark.django_db
def test_a_failure_keeps_its_reason_and_the_event_only_its_digest(ask: Ask) -> None:
    record.fail(running(ask()), "The tensor net.0.bias is missing.", now=NOW)

    row, event = Evaluation.objects.get(), Event.objects.get(event_type="evaluation.failed")
    assert (row.state, row.error) == ("failed", "The tensor net.0.bias is missing.")
    assert row.results is None
    assert event.remark is not None
    assert event.remark.text == row.error
    assert "net.0.bias" not in str(event.payload)


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
def test_an_overtaken_attempt_writes_nothing(ask: Ask, end: str) -> None:
    evaluation = ask()
    stale = running(evaluation)
    leases.claim(evaluation.pk, now=NOW + leases.LEASE + timedelta(seconds=1))
    endings: dict[str, Callable[[], None]] = {
        "complete": lambda: record.complete(stale, RESULTS, now=NOW),
        "fail": lambda: record.fail(stale, "why", now=NOW),
        "cancel": lambda: record.cancel(stale, actor="user:1", now=NOW),
    }
    before = Event.objects.count()

    with pytest.raises(LeaseLost):
        endings[end]()

    row = Evaluation.objects.get()
    assert (row.state, row.attempt, row.results, row.error) == ("running", 2, None, "")
    assert Event.objects.count() == before


@pytest.mark.django_db
def test_an_ended_evaluation_never_ends_again(ask: Ask) -> None:
    evaluation = running(ask())
    record.complete(evaluation, RESULTS, now=NOW)

    with pytest.raises(LeaseLost):
        record.fail(evaluation, "too late", now=NOW)

    assert Evaluation.objects.get().state == "done"
