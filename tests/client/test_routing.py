"""Which version answers a key is a pure function of the key and the traffic document."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import AssayError
from assay.routing import BUCKETS, Traffic, bucket


def document(**ranges: list[list[int]]) -> dict[str, Any]:
    targets = [
        {
            "model_id": model_id,
            "artifact_uri": f"/models/{model_id}/artifact",
            "sha256": "ab" * 32,
            "basis_points": sum(hi - lo for lo, hi in owned),
            "ranges": owned,
        }
        for model_id, owned in ranges.items()
    ]
    return {"family": "fraud_detector", "salt": "r1", "revision": 7, "targets": targets}


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
def test_the_bucket_of_a_key_is_the_known_one(key: str, expected: int) -> None:
    assert bucket("r1", "fraud_detector", key) == expected


@given(st.text(), st.text(), st.text())
def test_a_bucket_is_between_0_and_9999(salt: str, family: str, key: str) -> None:
    assert 0 <= bucket(salt, family, key) < BUCKETS


@pytest.mark.parametrize(
    ("ranges", "answered_by"),
    [
        ([[393, 394]], "v2"),
        ([[392, 393]], None),
        ([[394, 395]], None),
        ([[0, 10_000]], "v2"),
        ([[0, 100], [300, 400], [9000, 10_000]], "v2"),
        ([[0, 100], [9000, 10_000]], None),
        ([], None),
    ],
)
def test_a_range_holds_its_first_bucket_and_not_its_last(
    ranges: list[list[int]], answered_by: str | None
) -> None:
    # user-2 has bucket 393.
    target = Traffic.read(document(v2=ranges)).target("user-2")

    assert (target and target.model_id) == answered_by


def test_a_document_says_who_answers_and_from_where() -> None:
    traffic = Traffic.read(document(v2=[[0, 1000]], v1=[[1000, 10_000]]))

    canary, production = traffic.target("user-2"), traffic.target("user-1")

    assert canary is not None
    assert production is not None
    assert (canary.model_id, canary.basis_points) == ("v2", 1000)
    assert (production.model_id, production.artifact_uri) == ("v1", "/models/v1/artifact")
    assert [target.model_id for target in traffic.targets] == ["v2", "v1"]
    assert traffic.revision == 7


def test_growing_a_range_only_adds_keys() -> None:
    keys = [f"user-{n}" for n in range(5_000)]
    before = Traffic.read(document(v2=[[0, 1000]], v1=[[1000, 10_000]]))
    after = Traffic.read(document(v2=[[0, 2500]], v1=[[2500, 10_000]]))

    on_canary = {key for key in keys if _name(before, key) == "v2"}
    on_canary_later = {key for key in keys if _name(after, key) == "v2"}

    assert on_canary < on_canary_later
    assert abs(len(on_canary) / 5_000 - 0.10) < 0.01
    assert abs(len(on_canary_later) / 5_000 - 0.25) < 0.015


@given(st.lists(st.integers(0, BUCKETS), unique=True, max_size=40), st.integers(0, 3))
def test_every_bucket_has_the_owner_a_plain_search_finds(cuts: list[int], skipped: int) -> None:
    ordered = sorted(cuts)
    pieces = [[lo, hi] for lo, hi in pairwise(ordered)]
    owned: dict[str, list[list[int]]] = {"a": [], "b": [], "c": []}
    for index, piece in enumerate(pieces):
        if index % 4 != skipped:
            owned["abc"[index % 3]].append(piece)
    traffic = Traffic.read(document(**owned))

    for key in map(str, range(50)):
        here = bucket("r1", "fraud_detector", key)
        plain = [m for m, ranges in owned.items() for lo, hi in ranges if lo <= here < hi]
        assert _name(traffic, key) == (plain[0] if plain else None)


@pytest.mark.parametrize(
    "broken",
    [
        document(a=[[0, 10]], b=[[9, 20]]),
        document(a=[[0, 10], [5, 20]]),
        document(a=[[10, 10]]),
        document(a=[[20, 10]]),
        document(a=[[-1, 10]]),
        document(a=[[0, 10_001]]),
        {**document(), "revision": None},
        {**document(), "targets": [{"model_id": "a"}]},
        {**document(), "targets": {"a": 1}},
        {"title": "Something else"},
    ],
)
def test_a_document_that_contradicts_itself_is_refused_whole(broken: dict[str, Any]) -> None:
    with pytest.raises(AssayError, match="no traffic document"):
        Traffic.read(broken)


def _name(traffic: Traffic, key: str) -> str | None:
    target = traffic.target(key)
    return None if target is None else target.model_id
