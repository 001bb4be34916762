"""Trees, proofs, and that no flipped bit of a proof is believed."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import merkle
from assay.merkle import Frontier, ProofRefused

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/merkle_vectors.json").read_text())
LEAVES = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves_hex"]]
HASHES = st.binary(min_size=32, max_size=32)
SIZES = st.integers(1, 70)


def grown(leaves: list[bytes]) -> tuple[Frontier, dict[merkle.Node, bytes]]:
    """A tree and every perfect subtree that was complete on the way."""
    frontier = Frontier()
    nodes: dict[merkle.Node, bytes] = {}
    for leaf in leaves:
        nodes.update(frontier.append(leaf))
    return frontier, nodes


def hashes(ranges: list[tuple[int, int]], nodes: dict[merkle.Node, bytes]) -> list[bytes]:
    return [merkle.range_hash(start, end, nodes.__getitem__) for start, end in ranges]


@pytest.mark.parametrize(("size", "root"), VECTORS["root_hex_by_size"].items())
def test_roots_are_the_known_ones(size: str, root: str) -> None:
    frontier, nodes = grown(LEAVES[: int(size)])

    assert frontier.root().hex() == root
    assert merkle.range_hash(0, int(size), nodes.__getitem__).hex() == root


def test_a_proof_of_rfc_6962_section_2_1_3_has_these_nodes() -> None:
    assert merkle.inclusion_ranges(0, 7) == [(1, 2), (2, 4), (4, 7)]
    assert merkle.inclusion_ranges(3, 7) == [(2, 3), (0, 2), (4, 7)]
    assert merkle.inclusion_ranges(4, 7) == [(5, 6), (6, 7), (0, 4)]
    assert merkle.inclusion_ranges(6, 7) == [(4, 6), (0, 4)]
    assert merkle.consistency_ranges(3, 7) == [(2, 3), (3, 4), (0, 2), (4, 7)]
    assert merkle.consistency_ranges(4, 7) == [(4, 7)]
    assert merkle.consistency_ranges(6, 7) == [(4, 6), (6, 7), (0, 4)]


@given(SIZES, st.data())
def test_every_entry_is_proven_to_be_where_it_is(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    frontier, nodes = grown(leaves)
    index = data.draw(st.integers(0, size - 1))

    path = hashes(merkle.inclusion_ranges(index, size), nodes)

    merkle.verify_inclusion(leaves[index], index, size, path, frontier.root())


@given(SIZES, st.data())
def test_an_older_tree_is_proven_to_be_the_beginning(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    frontier, nodes = grown(leaves)
    first = data.draw(st.integers(1, size))
    older, _ = grown(leaves[:first])

    path = hashes(merkle.consistency_ranges(first, size), nodes)

    merkle.verify_consistency(first, size, older.root(), frontier.root(), path)


@given(SIZES, st.data())
def test_no_flipped_bit_of_an_inclusion_proof_is_believed(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    frontier, nodes = grown(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = [leaves[index], frontier.root(), *hashes(merkle.inclusion_ranges(index, size), nodes)]
    place = data.draw(st.integers(0, len(proof) - 1))
    proof[place] = flipped(proof[place], data.draw(st.integers(0, 255)))

    with pytest.raises(ProofRefused):
        merkle.verify_inclusion(proof[0], index, size, proof[2:], proof[1])


@given(SIZES, st.data())
def test_no_other_index_is_believed(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    frontier, nodes = grown(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = hashes(merkle.inclusion_ranges(index, size), nodes)
    other = data.draw(st.integers(-1, size + 70).filter(lambda n: n != index))

    with pytest.raises(ProofRefused):
        merkle.verify_inclusion(leaves[index], other, size, path, frontier.root())


@given(SIZES, st.data())
def test_no_flipped_bit_of_a_size_is_believed(size: int, data: st.DataObject) -> None:
    """A size may only be misstated where the tree would look the same: then the note refuses."""
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    frontier, nodes = grown(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = hashes(merkle.inclusion_ranges(index, size), nodes)
    other = size ^ (1 << data.draw(st.integers(0, 7)))
    alike = other > index and _shape(index, other) == _shape(index, size)

    if not alike:
        with pytest.raises(ProofRefused):
            merkle.verify_inclusion(leaves[index], index, other, path, frontier.root())


def _shape(index: int, size: int) -> list[bool]:
    """On which side the neighbours of a leaf stand, upwards."""
    return [start < index for start, _ in merkle.inclusion_ranges(index, size)]


@given(st.integers(2, 70), st.data())
def test_no_flipped_bit_of_a_consistency_proof_is_believed(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    frontier, nodes = grown(leaves)
    first = data.draw(st.integers(1, size - 1))
    older, _ = grown(leaves[:first])
    path = hashes(merkle.consistency_ranges(first, size), nodes)
    proof = [older.root(), frontier.root(), *path]
    place = data.draw(st.integers(0, len(proof) - 1))
    proof[place] = flipped(proof[place], data.draw(st.integers(0, 255)))

    with pytest.raises(ProofRefused):
        merkle.verify_consistency(first, size, proof[0], proof[1], proof[2:])


@given(st.integers(2, 70), st.data())
def test_a_changed_past_is_never_consistent(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    first = data.draw(st.integers(1, size - 1))
    older, _ = grown(leaves[:first])
    leaves[data.draw(st.integers(0, first - 1))] = merkle.leaf_hash(b"changed")
    frontier, nodes = grown(leaves)
    path = hashes(merkle.consistency_ranges(first, size), nodes)

    with pytest.raises(ProofRefused):
        merkle.verify_consistency(first, size, older.root(), frontier.root(), path)


@given(HASHES, HASHES, st.lists(HASHES, max_size=9), st.integers(-3, 0), st.integers(-3, 70))
def test_nothing_is_proven_from_an_empty_tree(
    first_root: bytes, second_root: bytes, path: list[bytes], first: int, second: int
) -> None:
    with pytest.raises(ProofRefused):
        merkle.verify_consistency(first, second, first_root, second_root, path)
    with pytest.raises(ValueError, match="no consistency proof"):
        merkle.consistency_ranges(first, second)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_hashes_have_32_bytes(length: int) -> None:
    leaf, wrong = LEAVES[0], b"x" * length

    for proof in ((leaf, wrong, leaf), (wrong, leaf, leaf), (leaf, leaf, wrong)):
        with pytest.raises(ProofRefused, match="32 bytes"):
            merkle.verify_inclusion(proof[0], 0, 2, [proof[1]], proof[2])
        with pytest.raises(ProofRefused, match="32 bytes"):
            merkle.verify_consistency(1, 2, proof[0], proof[2], [proof[1]])


def test_a_proof_of_another_length_is_refused() -> None:
    frontier, nodes = grown(LEAVES)
    path = hashes(merkle.inclusion_ranges(5, 8), nodes)
    consistent = hashes(merkle.consistency_ranges(5, 8), nodes)
    older, _ = grown(LEAVES[:5])

    for wrong in (path[:-1], [*path, LEAVES[0]], []):
        with pytest.raises(ProofRefused, match="too (short|long)"):
            merkle.verify_inclusion(LEAVES[5], 5, 8, wrong, frontier.root())
    for wrong in (consistent[:-1], [*consistent, LEAVES[0]], []):
        with pytest.raises(ProofRefused):
            merkle.verify_consistency(5, 8, older.root(), frontier.root(), wrong)


def test_a_frontier_goes_on_where_stored_nodes_end() -> None:
    _, nodes = grown(LEAVES[:5])
    stored = [nodes[node] for node in merkle.cover(0, 5)]

    frontier = Frontier(5, stored)
    for leaf in LEAVES[5:]:
        frontier.append(leaf)

    assert frontier.root() == grown(LEAVES)[0].root()


def test_no_two_ranges_of_a_cover_overlap() -> None:
    for size in range(1, 70):
        nodes = merkle.cover(0, size)
        ends = [((index << level), (index + 1) << level) for level, index in nodes]
        assert all(before[1] == after[0] for before, after in pairwise(ends))


def flipped(hashed: bytes, bit: int) -> bytes:
    """The hash with one bit turned over."""
    return (int.from_bytes(hashed, "big") ^ (1 << bit)).to_bytes(32, "big")
