"""Merkle trees of RFC 6962, section 2.1: roots, proofs, and their verification. Pure, stdlib only.

A leaf is hashed as SHA-256(0x00 || data), a node as SHA-256(0x01 || left || right). Whoever holds a
root can check with a proof of a few hashes that an entry is in the tree (inclusion), or that an
older tree is the beginning of a newer one (consistency).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
EMPTY = hashlib.sha256().digest()  # the root of no leaves

# A perfect subtree: the 2**level leaves from index * 2**level on.
Node = tuple[int, int]
Lookup = Callable[[Node], bytes]


class ProofRefused(Exception):
    """The proof does not show what it claims; the message says at which point."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry, 32 bytes."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side, 32 bytes."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """The perfect subtrees of a growing tree, largest first: enough to append and to know the root.

    It holds at most one hash for each bit of the size.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Append a leaf's hash; every perfect subtree that is complete now, the leaf first."""
        index, hashed, level = self.size, leaf, 0
        complete = [((0, index), leaf)]
        while index & 1:
            hashed = node_hash(self._hashes.pop(), hashed)
            index, level = index >> 1, level + 1
            complete.append(((level, index), hashed))
        self._hashes.append(hashed)
        self.size += 1
        return complete

    def root(self) -> bytes:
        """The root of all leaves so far."""
        return _joined(self._hashes)


def cover(start: int, end: int) -> list[Node]:
    """The perfect subtrees that make up the leaves from ``start`` to ``end``, largest first.

    ``start`` must begin a subtree at least as large as the rest, as it does in every proof.
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def range_hash(start: int, end: int, look_up: Lookup) -> bytes:
    """The hash of the leaves from ``start`` to ``end``, from stored perfect subtrees."""
    return _joined([look_up(node) for node in cover(start, end)])


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose hashes prove that leaf ``index`` is in the tree of ``size``.

    Raises:
        ValueError: There is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} leaves has no leaf {index}.")
    return list(_path(index, 0, size))[::-1]


def consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose hashes prove that the first ``first`` leaves did not change.

    Raises:
        ValueError: ``first`` is 0, or over ``second``.
    """
    if not 0 < first <= second:
        raise ValueError(f"There is no consistency proof from size {first} to {second}.")
    return list(_subproof(first, 0, second, whole=True))


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that the entry with hash ``leaf`` is leaf ``index`` of the tree with this root.

    After RFC 9162, section 2.1.3.2.

    Raises:
        ProofRefused: It is not, or the proof is malformed.
    """
    _check_hashes([leaf, root, *path])
    if not 0 <= index < size:
        raise ProofRefused(f"A tree of {size} leaves has no leaf {index}.")
    place, last, hashed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofRefused("The proof is too long.")
        if place & 1 or place == last:
            hashed = node_hash(sibling, hashed)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefused("The proof is too short.")
    if hashed != root:
        raise ProofRefused("The entry is not in the tree with this root.")


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the tree of size ``first`` is the beginning of the one of size ``second``.

    After RFC 9162, section 2.1.4.2.

    Raises:
        ProofRefused: It is not, a size is 0 or out of order, or the proof is malformed.
    """
    _check_hashes([first_root, second_root, *path])
    if not 0 < first <= second:
        raise ProofRefused(f"Nothing can be proven from size {first} to size {second}.")
    if first == second:
        if path or first_root != second_root:
            raise ProofRefused("Two trees of one size have different roots.")
        return
    found_first, found_second = _climb(first, second, first_root, path)
    if found_first != first_root:
        raise ProofRefused("The proof does not lead to the older root.")
    if found_second != second_root:
        raise ProofRefused("The older tree is not the beginning of the newer one.")


def _climb(
    first: int, second: int, first_root: bytes, path: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Both roots as the path of a consistency proof gives them."""
    hashes = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not hashes:
        raise ProofRefused("The proof is too short.")
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofRefused("The proof is too long.")
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefused("The proof is too short.")
    return old, new


def _path(index: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """PATH of RFC 6962, section 2.1.1, from the root downwards."""
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if index < middle:
            yield middle, end
            end = middle
        else:
            yield start, middle
            start = middle


def _subproof(first: int, start: int, end: int, *, whole: bool) -> Iterator[tuple[int, int]]:
    """SUBPROOF of RFC 6962, section 2.1.2."""
    if first == end:
        if not whole:
            yield start, end
        return
    middle = start + _largest_power_below(end - start)
    if first <= middle:
        yield from _subproof(first, start, middle, whole=whole)
        yield middle, end
    else:
        yield from _subproof(first, middle, end, whole=False)
        yield start, middle


def _largest_power_below(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def _joined(hashes: Sequence[bytes]) -> bytes:
    """The hash of perfect subtrees that stand side by side, largest first."""
    if not hashes:
        return EMPTY
    hashed = hashes[-1]
    for left in reversed(hashes[:-1]):
        hashed = node_hash(left, hashed)
    return hashed


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(hashed) != HASH_BYTES for hashed in hashes):
        raise ProofRefused(f"Every hash has {HASH_BYTES} bytes.")
