"""Recompute the ledger from the events themselves, and name everything that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from assay import merkle
from assay.merkle import Frontier, Node
from assay.notes import NoteRefused, VerifierKey
from registry.ledger import checkpoints, keys, leaves, tree
from registry.models import Event, LedgerCheckpoint, LedgerLeaf, LedgerNode, PendingLeaf

BATCH = 2000  # leaves read at once

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
    for found in _batches(total):
        _check_batch(found, edge, report, waiting, key)
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


def _batches(total: int) -> Iterator[list[LedgerLeaf]]:
    rows = LedgerLeaf.objects.select_related("event").order_by("index")
    for start in range(0, total, BATCH):
        if found := list(rows.filter(index__gte=start, index__lt=start + BATCH)):
            yield found


def _check_batch(
    found: Sequence[LedgerLeaf],
    edge: Frontier,
    report: Report,
    waiting: list[Claim],
    key: VerifierKey | None,
) -> None:
    stored = _stored_nodes(found)
    for leaf in found:
        if leaf.index != edge.size:
            report.findings.append(
                Finding(f"Leaf {edge.size} is missing; the next there is is {leaf.index}.")
            )
            edge.size = leaf.index
        for node, hashed in edge.append(merkle.leaf_hash(leaves.encode(leaf.event))):
            _check_node(node, hashed, stored.get(node), leaf.event, report)
        while waiting and waiting[-1].size == edge.size:
            _check_claim(waiting.pop(), edge, key, report)


def _stored_nodes(found: Sequence[LedgerLeaf]) -> dict[Node, bytes]:
    """The stored nodes that become complete with one of these leaves."""
    nodes: dict[Node, bytes] = {}
    first, last = found[0].index, found[-1].index
    for level in range((last + 1).bit_length()):
        rows = LedgerNode.objects.filter(
            level=level, index__gte=first >> level, index__lte=last >> level
        )
        nodes |= {(level, index): bytes(h) for index, h in rows.values_list("index", "hash")}
    return nodes


def _check_node(
    node: Node, hashed: bytes, stored: bytes | None, event: Event, report: Report
) -> None:
    if stored == hashed:
        return
    level, index = node
    if level == 0:
        said = "its leaf is missing" if stored is None else "it is not what entered the tree"
        report.findings.append(
            Finding(f"Event {event.pk} ({event.event_type}) was changed: {said}.", event.pk)
        )
    elif stored is None:
        report.findings.append(Finding(f"Node {level}/{index} of the tree is missing."))


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
    """Every event is in the tree or waits for it."""
    report.pending = PendingLeaf.objects.count()
    lost = Event.objects.filter(leaf=None, pending=None).order_by("pk")
    report.findings += [
        Finding(f"Event {pk} never entered the tree, and does not wait for it.", pk)
        for pk in lost.values_list("pk", flat=True)[:100]
    ]
