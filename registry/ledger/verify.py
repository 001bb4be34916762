"""Recompute the ledger from the events themselves, and name everything that does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import connection

from assay import merkle
from assay.merkle import Frontier, Node
from assay.notes import NoteRefused, VerifierKey
from registry.ledger import checkpoints, keys, leaves, tree
from registry.models import Event, LedgerCheckpoint, LedgerLeaf, LedgerNode, PendingLeaf

BATCH = 2000  # leaves read at once
MOST = 100  # findings of one kind outside the tree
REMOVED_WHILE_WAITING = """
select event_id from registry_pendingleaf p
where not exists (select from registry_event e where e.id = p.event_id) order by 1
"""
BEYOND = """
select index from registry_ledgernode where level = 0
and index > coalesce((select max(index) from registry_ledgerleaf), -1) order by 1
"""

Progress = Callable[[int, int], None]  # leaves checked, leaves in all


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was recorded, and where."""

    what: str
    event_id: int | None = None


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found."""

    leaves: int = 0
    pending: int = 0
    checkpoints: int = 0
    copies: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class Claim:
    """A note that says what the tree was at some size."""

    size: int
    note: str
    where: str
    root: bytes | None = None  # as the database keeps it beside the note


@dataclass(frozen=True, slots=True)
class Batch:
    """Some consecutive leaves as they are stored, and the nodes above them."""

    start: int
    end: int
    event_ids: dict[int, int]  # by index
    encoded: dict[int, bytes]  # by event
    nodes: dict[Node, bytes]


def verify(copies: Sequence[checkpoints.Copy], *, progress: Progress) -> Report:
    """Check every event, leaf, node and checkpoint, and the copies kept outside.

    Leaves are hashed anew from the events. Memory does not grow with the log.

    Args:
        copies: Checkpoints kept outside the database.
    """
    report = Report(copies=len(copies))
    claims = [*_kept_inside(), *_kept_outside(copies)]
    report.checkpoints = len(claims) - len(copies)
    key = _key(report, claims)
    edge = Frontier()
    waiting = sorted(claims, key=lambda claim: claim.size, reverse=True)
    total = tree.size()
    for start in range(0, total, BATCH):
        batch = _read(start, min(start + BATCH, total))
        if not batch.event_ids:
            report.findings.append(Finding(f"All leaves from {start} on are missing."))
            break
        _check_batch(batch, edge, report, waiting, key)
        progress(edge.size, total)
    report.leaves = edge.size
    report.findings += [_beyond(claim, edge.size) for claim in reversed(waiting)]
    _check_outside_the_tree(report)
    return report


def _kept_inside() -> Iterator[Claim]:
    for row in LedgerCheckpoint.objects.order_by("tree_size"):
        where = f"checkpoint of {row.signed_at:%Y-%m-%d %H:%M:%S} UTC"
        yield Claim(row.tree_size, row.note, where, bytes(row.root))


def _kept_outside(copies: Sequence[checkpoints.Copy]) -> Iterator[Claim]:
    for copy in copies:
        where = f"outside copy of {copy.signed_at:%Y-%m-%d %H:%M:%S} UTC (line {copy.line})"
        yield Claim(copy.size, copy.note, where)


def _key(report: Report, claims: Sequence[Claim]) -> VerifierKey | None:
    try:
        key = keys.public()
    except NoteRefused as error:
        report.findings.append(Finding(f"The public key cannot be read: {error}"))
        return None
    if key is None and claims:
        report.findings.append(
            Finding(f"There is no public key in {keys.folder()}: no signature can be checked.")
        )
    return key


def _read(start: int, end: int) -> Batch:
    rows = LedgerLeaf.objects.filter(index__gte=start, index__lt=end)
    event_ids = dict(rows.values_list("index", "event_id"))
    nodes: dict[Node, bytes] = {}
    for level in range(end.bit_length()):
        stored = LedgerNode.objects.filter(
            level=level, index__gte=start >> level, index__lte=(end - 1) >> level
        )
        nodes |= {(level, index): bytes(h) for index, h in stored.values_list("index", "hash")}
    return Batch(start, end, event_ids, leaves.of(event_ids.values()), nodes)


def _check_batch(
    batch: Batch,
    edge: Frontier,
    report: Report,
    waiting: list[Claim],
    key: VerifierKey | None,
) -> None:
    for index in range(batch.start, batch.end):
        for node, hashed in edge.append(_checked_leaf(index, batch, report)):
            if node[0] and batch.nodes.get(node) != hashed:
                how = "was changed" if node in batch.nodes else "is missing"
                report.findings.append(Finding(f"Node {node[0]}/{node[1]} of the tree {how}."))
        while waiting and waiting[-1].size <= edge.size:
            _check_claim(waiting.pop(), edge, key, report)


def _checked_leaf(index: int, batch: Batch, report: Report) -> bytes:
    """The leaf's hash as it entered the tree: what stands above it is then judged by itself."""
    stored = batch.nodes.get((0, index))
    event_id = batch.event_ids.get(index)
    encoded = None if event_id is None else batch.encoded.get(event_id)
    if encoded is None:
        event = "its event" if event_id is None else f"event {event_id}"
        report.findings.append(Finding(f"Leaf {index} is missing: {event} was removed.", event_id))
        return stored or bytes(merkle.HASH_BYTES)
    hashed = merkle.leaf_hash(encoded)
    if stored != hashed:
        said = "it is not what entered the tree" if stored else "its hash is missing"
        kind = json.loads(encoded)["event_type"]
        report.findings.append(Finding(f"Event {event_id} ({kind}) was changed: {said}.", event_id))
    return stored or hashed


def _check_claim(claim: Claim, edge: Frontier, key: VerifierKey | None, report: Report) -> None:
    if key is None:
        return
    try:
        stated = key.open(claim.note)
    except NoteRefused as error:
        report.findings.append(Finding(f"The {claim.where} is not genuine: {error}"))
        return
    if stated.size != claim.size or claim.root not in (None, stated.root):
        report.findings.append(Finding(f"The {claim.where} says something else than its note."))
    elif stated.root != edge.root():
        report.findings.append(
            Finding(
                f"The first {stated.size} events are not those of the {claim.where}: one of them "
                "was changed, removed or put in since."
            )
        )


def _beyond(claim: Claim, size: int) -> Finding:
    return Finding(
        f"The {claim.where} speaks of {claim.size} events, and the tree has {size}: the newest "
        f"{claim.size - size} are gone."
    )


def _check_outside_the_tree(report: Report) -> None:
    """Every event is in the tree or waits for it, and no node stands over events that are gone."""
    report.pending = PendingLeaf.objects.count()
    lost = Event.objects.filter(leaf=None, pending=None).order_by("pk")
    report.findings += [
        Finding(f"Event {pk} never entered the tree, and does not wait for it.", pk)
        for pk in lost.values_list("pk", flat=True)[:MOST]
    ]
    report.findings += [
        Finding(f"Event {pk} was removed before it entered the tree.", pk)
        for pk in _rows(REMOVED_WHILE_WAITING)
    ]
    report.findings += [
        Finding(f"Leaf {index} is missing: the tree once held it.") for index in _rows(BEYOND)
    ]


def _rows(query: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"{query} limit {MOST}")
        return [row[0] for row in cursor.fetchall()]
