"""The stored tree: its size, its hashes, its proofs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Max

from assay import merkle
from assay.merkle import Frontier, Node
from registry.models import LedgerLeaf

NODES = """
select level, index, hash from registry_ledgernode
join unnest(%s::integer[], %s::bigint[]) as asked (level, index) using (level, index)
"""
ADVISORY_LOCK = 0x6173_7361_79  # "assay"; held by whoever lets the tree grow


def hold() -> bool:
    """Take the right to let the tree grow until the transaction ends; False if another has it."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])


def size() -> int:
    """How many events the tree holds."""
    newest = LedgerLeaf.objects.aggregate(newest=Max("index"))["newest"]
    return 0 if newest is None else newest + 1


def frontier() -> Frontier:
    """The tree's edge, to append to it and to know its root."""
    grown = size()
    nodes = merkle.cover(0, grown)
    found = _stored(nodes)
    return Frontier(grown, [found[node] for node in nodes])


def root(of_size: int) -> bytes:
    """The root that the tree had when it was of this size."""
    return hashes([(0, of_size)])[0]


def hashes(ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """The hash of each range of leaves, in one query."""
    wanted = {node for start, end in ranges for node in merkle.cover(start, end)}
    found = _stored(wanted)
    return [merkle.range_hash(start, end, found.__getitem__) for start, end in ranges]


def _stored(nodes: Iterable[Node]) -> dict[Node, bytes]:
    listed = list(nodes)
    levels, indexes = [level for level, _ in listed], [index for _, index in listed]
    with connection.cursor() as cursor:
        cursor.execute(NODES, [levels, indexes])
        return {(level, index): bytes(hashed) for level, index, hashed in cursor.fetchall()}
