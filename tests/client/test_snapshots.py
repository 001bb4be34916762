"""record_performance_snapshot takes one or any number, and loses none in silence."""

from __future__ import annotations

import pytest

from assay import ModelPerformanceSnapshot, Registry, SnapshotConflict
from tests.client.edge import Answer, Asked, Edge
from tests.client.makers import at_noon


def test_one_snapshot_is_sent_as_one_object(edge: Edge, registry: Registry) -> None:
    accept(edge)
    snapshot = ModelPerformanceSnapshot(
        model_id="m", version="1.0.0", timestamp=at_noon(), error_rate=0.02, num_requests=1000
    )

    receipt = registry.record_performance_snapshot(snapshot)

    assert edge.asked[0].document == {
        "version": "1.0.0",
        "timestamp": "2026-03-01T12:00:00+00:00",
        "error_rate": 0.02,
        "num_requests": 1000,
    }
    assert (receipt.accepted, receipt.duplicates) == (1, 0)


def test_a_list_is_sent_in_batches_of_ten_thousand(edge: Edge, registry: Registry) -> None:
    accept(edge)

    receipt = registry.record_performance_snapshot(snapshots("m", 20_001))

    assert [count(asked) for asked in edge.asked] == [10_000, 10_000, 1]
    assert receipt.accepted == 20_001


def test_a_list_may_be_of_several_models(edge: Edge, registry: Registry) -> None:
    accept(edge)

    receipt = registry.record_performance_snapshot(
        [*snapshots("a", 2), *snapshots("b", 1), *snapshots("a", 1)]
    )

    sent = [(asked.path.split("/")[-2], count(asked)) for asked in edge.asked]
    assert sent == [("a", 3), ("b", 1)]
    assert receipt.accepted == 4


def test_an_empty_list_asks_nothing(edge: Edge, registry: Registry) -> None:
    receipt = registry.record_performance_snapshot([])

    assert (receipt.accepted, receipt.duplicates, edge.asked) == (0, 0, [])


def test_a_conflict_is_raised_with_its_index_in_the_callers_list(
    edge: Edge, registry: Registry
) -> None:
    conflict = {"index": 1, "detail": "recorded with other values"}
    answer = {"accepted": 1, "duplicates": 1, "conflicts": [conflict]}
    edge.answer("POST", "models/a/performance", Answer(answer, 201))
    edge.answer("POST", "models/b/performance", Answer(answer, 201))
    a, b = snapshots("a", 3), snapshots("b", 3)

    with pytest.raises(SnapshotConflict, match="2 snapshots contradict.*index 2, 3") as refusal:
        registry.record_performance_snapshot([a[0], b[0], a[1], b[1], a[2], b[2]])

    assert [each["index"] for each in refusal.value.conflicts] == [2, 3]
    assert (refusal.value.accepted, refusal.value.duplicates) == (2, 2)
    assert refusal.value.conflicts[0]["detail"] == "recorded with other values"


def accept(edge: Edge) -> None:
    def all_new(asked: Asked) -> Answer:
        return Answer({"accepted": count(asked), "duplicates": 0, "conflicts": []}, 201)

    for model_id in ("m", "a", "b"):
        edge.answer("POST", f"models/{model_id}/performance", all_new)


def snapshots(model_id: str, count: int) -> list[ModelPerformanceSnapshot]:
    return [
        ModelPerformanceSnapshot(model_id=model_id, timestamp=at_noon(), num_requests=n)
        for n in range(count)
    ]


def count(asked: Asked) -> int:
    return len(asked.document) if isinstance(asked.document, list) else 1
