"""The traffic document: sticky buckets that move as little as possible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.routing import BUCKETS, Range, allocate, bucket


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("user-1", 8570),
        ("user-2", 393),
        ("user-3", 7502),
        ("user-42", 8415),
        ("", 2316),
        ("é", 4510),
    ],
)
def test_buckets_of_known_keys(key: str, expected: int) -> None:
    assert bucket("r1", "fraud_detector", key) == expected


def members(ranges: list[Range]) -> set[int]:
    return {b for low, high in ranges for b in range(low, high)}


def test_production_takes_what_the_canary_leaves() -> None:
    found = allocate({}, {"canary": 1000, "production": 9000})

    assert found == {"canary": [(0, 1000)], "production": [(1000, 10_000)]}


def test_growing_takes_the_lowest_free_buckets_and_only_adds() -> None:
    found = allocate({"canary": [(0, 1000)]}, {"canary": 2500, "production": 7500})

    assert found["canary"] == [(0, 2500)]


def test_shrinking_returns_the_highest_buckets() -> None:
    found = allocate({"canary": [(0, 500), (2000, 2500)]}, {"canary": 600})

    assert found["canary"] == [(0, 500), (2000, 2100)]


def test_a_second_canary_takes_what_is_free_beside_the_first() -> None:
    found = allocate({"a": [(0, 1000)]}, {"a": 1000, "b": 500})

    assert found == {"a": [(0, 1000)], "b": [(1000, 1500)]}


shares = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 2000), max_size=5)


@given(before=shares, after=shares)
def test_targets_hold_what_they_want_never_overlap_and_keep_what_they_can(
    before: dict[str, int], after: dict[str, int]
) -> None:
    held = allocate({}, before)

    found = allocate(held, after)

    assert {target: len(members(ranges)) for target, ranges in found.items()} == after
    assert sum(len(members(r)) for r in found.values()) == len(
        set().union(*(members(r) for r in found.values()))
    )
    for target, count in after.items():
        kept = members(held.get(target, [])) & members(found[target])
        assert len(kept) == min(before.get(target, 0), count)


@given(key=st.text(max_size=50), salt=st.text(max_size=20))
def test_every_key_has_a_bucket_and_keeps_it(key: str, salt: str) -> None:
    first, second = bucket(salt, "family", key), bucket(salt, "family", key)

    assert first == second
    assert 0 <= first < BUCKETS
