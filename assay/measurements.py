"""What serving jobs say of a model's behaviour, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from assay import wire
from assay.answers import Receipt, Rollback, RollbackCheck
from assay.awaiting import Document, Listing
from assay.entries import ModelPerformanceSnapshot
from assay.errors import SnapshotConflict
from assay.session import Session

BATCH = 10_000  # snapshots the registry takes at once

Indexed = tuple[int, ModelPerformanceSnapshot]


class Measurements:
    """The part of the registry that measures how models behave."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def record_performance_snapshot(
        self, snapshot: ModelPerformanceSnapshot | Iterable[ModelPerformanceSnapshot]
    ) -> Receipt:
        """Record one snapshot or any number, of one model or several, in batches of 10,000.

        Sending the same again changes nothing, so after any error the whole list may be repeated.

        Raises:
            SnapshotConflict: A snapshot of that time and source has other values; the others are
                recorded.
            InvalidInput: A batch holds an unacceptable snapshot and is refused whole; pointers
                count within the batch.
        """
        if isinstance(snapshot, ModelPerformanceSnapshot):
            return _received([self._send([(0, snapshot)], _body(snapshot))])
        batches = _batches(list(enumerate(snapshot)))
        return _received(
            [self._send(batch, [_body(each) for _, each in batch]) for batch in batches]
        )

    def check_rollback_triggers(self, model_id: str, window_minutes: int = 10) -> RollbackCheck:
        """``(should_rollback, reasons)`` over the last ``window_minutes``; changes nothing.

        False is said of "no data" too: ``verdict`` tells them apart.
        """
        answer = self.session.get(
            "models", model_id, "rollback-check", window_minutes=window_minutes
        )
        return RollbackCheck.read(answer)

    def rollback(self, model_id: str, reason: str | None = None) -> Rollback:
        """Take a model version out of service; one already out is left as it is.

        Without ``reason`` the registry gives that of the last breaching verdict.
        """
        answer = self.session.write(
            "POST",
            "models",
            model_id,
            "rollback",
            document={} if reason is None else {"reason": reason},
            repeatable=True,
        )
        return wire.read(Rollback, answer)

    def incidents(self, state: str | None = None) -> Listing[Document]:
        """Every incident, or those in one ``state`` (open, …)."""
        return Listing(map(Document, self.session.pages("incidents", key="incidents", state=state)))

    def _send(self, batch: Sequence[Indexed], document: object) -> dict[str, Any]:
        model_id = batch[0][1].model_id
        answer = self.session.write(
            "POST", "models", model_id, "performance", document=document, repeatable=True
        )
        conflicts = [{**c, "index": batch[c["index"]][0]} for c in answer["conflicts"]]
        return {**answer, "conflicts": conflicts}


def _batches(snapshots: Sequence[Indexed]) -> Iterator[Sequence[Indexed]]:
    """Runs of at most BATCH snapshots of one model each."""
    by_model: dict[str, list[Indexed]] = {}
    for index, snapshot in snapshots:
        by_model.setdefault(snapshot.model_id, []).append((index, snapshot))
    for run in by_model.values():
        for start in range(0, len(run), BATCH):
            yield run[start : start + BATCH]


def _body(snapshot: ModelPerformanceSnapshot) -> dict[str, Any]:
    """``snapshot`` as JSON wants it; its model is in the path."""
    body = wire.declared(snapshot)
    del body["model_id"]
    return body


def _received(answers: Sequence[dict[str, Any]]) -> Receipt:
    accepted = sum(answer["accepted"] for answer in answers)
    duplicates = sum(answer["duplicates"] for answer in answers)
    conflicts = sorted((c for a in answers for c in a["conflicts"]), key=lambda c: c["index"])
    if conflicts:
        indexes = ", ".join(str(conflict["index"]) for conflict in conflicts[:10])
        raise SnapshotConflict(
            f"{len(conflicts)} snapshots contradict recorded ones, at index {indexes}"
            f"{' and more' if len(conflicts) > 10 else ''}.",
            conflicts=conflicts,
            accepted=accepted,
            duplicates=duplicates,
        )
    return Receipt(accepted, duplicates)
