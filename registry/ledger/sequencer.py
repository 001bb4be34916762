"""Give every committed event its place in the tree."""

from __future__ import annotations

from django.db import transaction

from assay import merkle
from registry.ledger import leaves, tree
from registry.models import LedgerLeaf, LedgerNode, PendingLeaf

BATCH = 1000  # events of one transaction


@transaction.atomic
def sequence(*, limit: int = BATCH) -> int:
    """Append up to ``limit`` pending events to the tree, in order of their ids.

    Only one caller at a time does; another finds nothing to do. What commits later with a smaller
    id is taken the next time: the order of the tree is the order of appending.

    Returns:
        How many were appended.
    """
    if not tree.hold():
        return 0
    pending = list(PendingLeaf.objects.select_related("event").order_by("event_id")[:limit])
    if not pending:
        return 0
    edge = tree.frontier()
    placed, nodes = [], []
    for waiting in pending:
        placed.append(LedgerLeaf(index=edge.size, event=waiting.event))
        complete = edge.append(merkle.leaf_hash(leaves.encode(waiting.event)))
        nodes += [LedgerNode(level=at[0], index=at[1], hash=hashed) for at, hashed in complete]
    LedgerLeaf.objects.bulk_create(placed)
    LedgerNode.objects.bulk_create(nodes)
    PendingLeaf.objects.filter(pk__in=[waiting.pk for waiting in pending]).delete()
    return len(placed)
