"""Proofs from the stored tree, for whoever wants to check the record from outside."""

from __future__ import annotations

from dataclasses import dataclass

from assay import merkle
from registry.errors import Conflict, InvalidInput, NotFound
from registry.ledger import leaves, tree
from registry.models import LedgerCheckpoint, LedgerLeaf


@dataclass(frozen=True, slots=True)
class Inclusion:
    """What shows that an event is in a signed tree."""

    leaf: bytes  # what is hashed
    index: int
    path: tuple[bytes, ...]
    checkpoint: LedgerCheckpoint


def newest_checkpoint() -> LedgerCheckpoint:
    """The newest signed statement.

    Raises:
        NotFound: Nothing was signed yet.
    """
    found = LedgerCheckpoint.objects.order_by("-tree_size").first()
    if found is None:
        raise NotFound("Nothing is signed yet; the first checkpoint follows the first events.")
    return found


def inclusion(event_id: int) -> Inclusion:
    """The proof that an event is in the tree of the newest checkpoint.

    Raises:
        NotFound: There is no such event.
        Conflict: No checkpoint covers it yet.
    """
    encoded = leaves.of([event_id]).get(event_id)
    if encoded is None:
        raise NotFound(f"There is no event {event_id}.")
    leaf = LedgerLeaf.objects.filter(event_id=event_id).first()
    checkpoint = LedgerCheckpoint.objects.order_by("-tree_size").first()
    if leaf is None or checkpoint is None or leaf.index >= checkpoint.tree_size:
        raise Conflict(f"Event {event_id} is not under a signed checkpoint yet; ask in a minute.")
    ranges = merkle.inclusion_ranges(leaf.index, checkpoint.tree_size)
    return Inclusion(encoded, leaf.index, tuple(tree.hashes(ranges)), checkpoint)


def consistency(first: int, second: int) -> list[bytes]:
    """The proof that the tree of size ``first`` is the beginning of the one of size ``second``.

    Raises:
        InvalidInput: A size is 0, out of order, or over the tree's own.
    """
    size = tree.size()
    if not 0 < first <= second <= size:
        raise InvalidInput.of("first", f"Give two sizes in order, from 1 to {size}.")
    return tree.hashes(merkle.consistency_ranges(first, second))
