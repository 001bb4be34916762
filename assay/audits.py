"""Check from outside that the registry's record is as it was.

Keep the ledger's verifier key, and the newest checkpoint you have seen: with both, a record that
was changed or cut short cannot pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assay import merkle, wire
from assay.awaiting import Settled
from assay.merkle import ProofRefused
from assay.notes import Checkpoint, VerifierKey
from assay.session import Session


@dataclass(frozen=True)
class SignedCheckpoint(Settled):
    """What the ledger said of itself at one moment."""

    size: int  # events in the tree
    root: str  # 64 hex digits
    note: str  # C2SP signed note
    key: str  # the verifier key the registry names; trust the copy you kept
    signed_at: datetime

    def open(self, key: str) -> Checkpoint:
        """The statement, once ``key``, the one you kept, has verified it.

        Raises:
            NoteRefused: It is not signed by this key.
            ProofRefused: The note says something else than the answer.
        """
        stated = VerifierKey.parse(key).open(self.note)
        if (stated.size, stated.root.hex()) != (self.size, self.root):
            raise ProofRefused("The note says something else than the answer around it.")
        return stated


@dataclass(frozen=True)
class InclusionProof(Settled):
    """What shows that an event is in a signed tree, where, and with which content."""

    event_id: int
    leaf: str  # canonical JSON of the event's row: what was hashed
    index: int
    path: tuple[str, ...]  # 64 hex digits each
    checkpoint: SignedCheckpoint

    def verify(self, key: str) -> Mapping[str, Any]:
        """The event as it entered the tree, once everything about it has been checked.

        Raises:
            NoteRefused: The checkpoint is not signed by ``key``.
            ProofRefused: The event is not in the tree that was signed.
        """
        stated = self.checkpoint.open(key)
        hashed = merkle.leaf_hash(self.leaf.encode())
        path = [bytes.fromhex(each) for each in self.path]
        merkle.verify_inclusion(hashed, self.index, stated.size, path, stated.root)
        event: Mapping[str, Any] = wire.loads(self.leaf.encode())
        if event.get("id") != self.event_id:
            raise ProofRefused(f"The proof is about event {event.get('id')}.")
        return event


class Audits:
    """The part of the registry that lets others check it."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def checkpoint(self) -> SignedCheckpoint:
        """The newest signed checkpoint; NotFound where nothing was signed yet."""
        return wire.read(SignedCheckpoint, self.session.get("ledger", "checkpoint"))

    def prove(self, event_id: int) -> InclusionProof:
        """The proof that an event is on record; Conflict until a checkpoint covers it."""
        answer = self.session.get("ledger", "proofs", str(event_id))
        return InclusionProof(
            event_id=answer["event_id"],
            leaf=answer["leaf"],
            index=answer["index"],
            path=tuple(answer["path"]),
            checkpoint=wire.read(SignedCheckpoint, answer["checkpoint"]),
        )

    def verify_growth(self, older: SignedCheckpoint, newer: SignedCheckpoint, key: str) -> None:
        """Check that nothing under ``older`` was changed or removed when ``newer`` was signed.

        Raises:
            NoteRefused: One of them is not signed by ``key``.
            ProofRefused: The older record is not the beginning of the newer one.
        """
        first, second = older.open(key), newer.open(key)
        answer = self.session.get("ledger", "consistency", first=first.size, second=second.size)
        path = [bytes.fromhex(each) for each in answer["path"]]
        merkle.verify_consistency(first.size, second.size, first.root, second.root, path)
