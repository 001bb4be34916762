"""Give every committed event its place in the tree."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef

from assay import merkle
from registry.ledger import leaves, tree
from registry.models import Event, LedgerLeaf, LedgerNode, PendingLeaf

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
    # A waiting row whose event was removed is left for verify_ledger to find.
    there = Exists(Event.objects.filter(pk=OuterRef("event_id")))
    pending = PendingLeaf.objects.filter(there).order_by("pk").values_list("pk", flat=True)[:limit]
    encoded = leaves.of(list(pending))
    if not encoded:
        return 0
    edge = tree.frontier()
    placed, nodes = [], []
    for event_id in sorted(encoded):
        placed.append(LedgerLeaf(index=edge.size, event_id=event_id))
        complete = edge.append(merkle.leaf_hash(encoded[event_id]))
        nodes += [LedgerNode(level=at[0], index=at[1], hash=hashed) for at, hashed in complete]
    LedgerLeaf.objects.bulk_create(placed)
    LedgerNode.objects.bulk_create(nodes)
    PendingLeaf.objects.filter(pk__in=list(encoded)).delete()
    return len(placed)
