"""An auditor who trusts nobody checks the record from outside, over the API and with the client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from assay.audits import Audits, SignedCheckpoint
from assay.merkle import ProofRefused
from assay.notes import Checkpoint, NoteRefused
from registry.ledger import checkpoints, keys, sequencer
from registry.models import Event

Happen = Callable[..., list[Event]]
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ROOT = "/api/model-registry/ledger"

pytestmark = pytest.mark.django_db


class Asking:
    """The client's session over the test client: the real views, no socket."""

    def __init__(self, client: APIClient) -> None:
        self.client = client

    def get(self, *parts: str, **query: int) -> dict[str, object]:
        answer = self.client.get(f"/api/model-registry/{'/'.join(parts)}", query)
        assert answer.status_code == 200, answer.content
        found: dict[str, object] = answer.json()
        return found


@pytest.fixture
def auditor(api: Callable[..., APIClient]) -> Audits:
    session: Any = Asking(api("trainer"))
    return Audits(session)


@pytest.fixture
def grow(place: Path, happen: Happen) -> Callable[[int], list[Event]]:
    """Record events, have them sequenced, and sign a minute later each time."""
    now = NOW

    def step(count: int) -> list[Event]:
        nonlocal now
        now += timedelta(minutes=1)
        recorded = happen(count)
        sequencer.sequence()
        checkpoints.sign(now=now)
        return recorded

    return step


def key() -> str:
    return str(keys.signing(make=False).verifier)


def test_every_event_is_proven_with_what_it_says(
    auditor: Audits, grow: Callable[[int], list[Event]]
) -> None:
    recorded = grow(11)

    for event in recorded:
        proven = auditor.prove(event.pk).verify(key())
        assert proven["event_type"] == "team.noted"
        assert proven["payload"] == event.payload


def test_a_proof_with_another_content_is_refused(
    auditor: Audits, grow: Callable[[int], list[Event]]
) -> None:
    (event, *_) = grow(4)
    proof = auditor.prove(event.pk)

    with pytest.raises(ProofRefused):
        replace(proof, leaf=proof.leaf.replace('"number":0', '"number":1')).verify(key())
    with pytest.raises(ProofRefused, match="is about event"):
        replace(proof, event_id=event.pk + 1).verify(key())
    with pytest.raises(NoteRefused):
        proof.verify("assay/other" + key()[key().index("+") :])


def test_a_later_record_is_shown_to_go_on_from_the_one_seen(
    auditor: Audits, grow: Callable[[int], list[Event]]
) -> None:
    grow(5)
    seen = auditor.checkpoint()
    grow(8)

    auditor.verify_growth(seen, auditor.checkpoint(), key())


def test_a_record_that_was_changed_since_does_not_go_on(
    auditor: Audits, grow: Callable[[int], list[Event]]
) -> None:
    grow(5)
    private = keys.signing(make=False)
    other = Checkpoint(private.verifier.name, 5, bytes(32))
    seen = SignedCheckpoint(5, bytes(32).hex(), private.sign(other.text), key(), NOW)
    grow(8)

    with pytest.raises(ProofRefused):
        auditor.verify_growth(seen, auditor.checkpoint(), key())


def test_an_event_that_is_not_signed_yet_is_asked_for_later(
    api: Callable[..., APIClient], grow: Callable[[int], list[Event]], happen: Happen
) -> None:
    grow(2)
    (event,) = happen()

    answer = api("trainer").get(f"{ROOT}/proofs/{event.pk}")

    assert answer.status_code == 409
    assert "ask in a minute" in answer.json()["detail"]


def test_before_the_first_signature_there_is_no_checkpoint(
    api: Callable[..., APIClient], place: Path
) -> None:
    answer = api("trainer").get(f"{ROOT}/checkpoint")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("first=0&second=3", 400),
        ("first=3&second=2", 400),
        ("first=1&second=4", 400),
        ("first=x&second=3", 400),
        ("second=3", 400),
        ("first=1&second=3&third=4", 400),
        ("first=1&second=3", 200),
    ],
)
def test_consistency_is_asked_between_two_sizes_there_were(
    api: Callable[..., APIClient],
    grow: Callable[[int], list[Event]],
    query: str,
    status: int,
) -> None:
    grow(3)

    assert api("trainer").get(f"{ROOT}/consistency?{query}").status_code == status


def test_there_is_no_proof_of_what_never_happened(
    api: Callable[..., APIClient], grow: Callable[[int], list[Event]]
) -> None:
    grow(1)

    assert api("trainer").get(f"{ROOT}/proofs/999999").status_code == 404


def test_proofs_are_for_those_who_may_read(api: Callable[..., APIClient]) -> None:
    assert api().get(f"{ROOT}/checkpoint").status_code == 401
