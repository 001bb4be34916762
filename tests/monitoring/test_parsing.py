"""What a reported snapshot must look like; every fault is named with its remedy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import parsing
from monitoring.parsing import Snapshot, parse
from registry.errors import InvalidInput, TooLarge
from tests.conftest import NOW

GOOD = {"timestamp": "2026-01-31T11:59:50Z", "num_requests": 10}


def read(body: Any) -> list[Snapshot]:
    return parse(body, model_id="m_v1", version="1.0.0", now=NOW, retention=timedelta(days=90))


def faults(body: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        read(body)
    return [(error.pointer, error.code) for error in refusal.value.errors]


def test_the_seed_s_snapshot_is_read() -> None:
    (found,) = read(
        {
            "model_id": "m_v1",
            "version": "1.0.0",
            "timestamp": "2026-01-31T12:59:50+01:00",
            "latency_p50_ms": 15.2,
            "latency_p95_ms": 45.8,
            "latency_p99_ms": 120.0,
            "requests_per_second": 50.0,
            "error_rate": 0.02,
            "ood_rate": 0.05,
            "num_requests": 1000,
        }
    )

    assert found.timestamp == NOW - timedelta(seconds=10)
    assert (found.error_rate, found.input_drift_score, found.source) == (0.02, None, "")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"timestamp": None}, ("/timestamp", "required")),
        ({"timestamp": 7}, ("/timestamp", "type")),
        ({"timestamp": "yesterday"}, ("/timestamp", "type")),
        ({"timestamp": "2026-01-31T11:59:50"}, ("/timestamp", "naive-time")),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, ("/timestamp", "type")),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, ("/timestamp", "type")),
        ({"timestamp": "0232-09-02T04:14:35-22:53"}, ("/timestamp", "too-old")),
        ({"timestamp": "2026-01-31T12:01:01Z"}, ("/timestamp", "future")),
        ({"timestamp": "2025-01-31T12:00:00Z"}, ("/timestamp", "too-old")),
        ({"num_requests": None}, ("/num_requests", "required")),
        ({"num_requests": -1}, ("/num_requests", "range")),
        ({"num_requests": 1.5}, ("/num_requests", "type")),
        ({"num_requests": True}, ("/num_requests", "type")),
        ({"num_requests": 2**31}, ("/num_requests", "range")),
        ({"error_rate": 1.01}, ("/error_rate", "range")),
        ({"error_rate": -0.01}, ("/error_rate", "range")),
        ({"error_rate": float("nan")}, ("/error_rate", "range")),
        ({"error_rate": "0.1"}, ("/error_rate", "type")),
        ({"error_rate": True}, ("/error_rate", "type")),
        ({"ood_rate": float("inf")}, ("/ood_rate", "range")),
        ({"input_drift_score": 2}, ("/input_drift_score", "range")),
        ({"latency_p95_ms": -1}, ("/latency_p95_ms", "range")),
        ({"latency_p95_ms": float("inf")}, ("/latency_p95_ms", "range")),
        ({"latency_p95_ms": 1.001e12}, ("/latency_p95_ms", "range")),
        ({"device": 3}, ("/device", "type")),
        ({"source": "a\0b"}, ("/source", "type")),
        ({"colour": "red"}, ("/colour", "unknown-field")),
        ({"model_id": "other"}, ("/model_id", "other-model")),
        ({"version": "2.0.0"}, ("/version", "other-model")),
    ],
)
def test_each_fault_is_named(change: dict[str, Any], fault: tuple[str, str]) -> None:
    assert faults(GOOD | change) == [fault]


def test_a_minute_of_clock_skew_is_allowed() -> None:
    (found,) = read(GOOD | {"timestamp": "2026-01-31T12:01:00Z"})

    assert found.timestamp == NOW + timedelta(seconds=60)


def test_faults_of_a_list_say_which_row() -> None:
    assert faults([GOOD, GOOD | {"num_requests": -1}, 7]) == [
        ("/1/num_requests", "range"),
        ("/2", "type"),
    ]


def test_an_empty_list_is_refused() -> None:
    assert faults([]) == [("", "invalid")]


def test_ten_thousand_are_taken_and_one_more_is_not() -> None:
    assert len(read([GOOD] * 10_000)) == 10_000
    with pytest.raises(TooLarge, match="at most 10000"):
        read([GOOD] * 10_001)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    row=st.dictionaries(
        st.sampled_from(["timestamp", "num_requests", "error_rate", "source", "device", "x"]),
        json_values,
    )
)
def test_whatever_is_sent_is_read_or_refused_by_name(row: dict[str, Any]) -> None:
    named: set[str] = set()
    found: list[Snapshot] = []
    try:
        found = read(GOOD | row)
    except InvalidInput as refusal:
        named = {error.pointer.strip("/") for error in refusal.errors}

    assert bool(found) != bool(named)
    assert named <= set(row)
    assert all(0 <= (s.error_rate or 0) <= 1 and s.num_requests >= 0 for s in found)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.integers(),
    st.floats(-0.5, 1.5),
    st.floats(),
    st.text(max_size=3),
    st.text(min_size=199, max_size=201),
    st.sampled_from(["m_v1", "1.0.0", 10**400, 3.0, 2**31, 2**31 - 1, "a\x7f", [], {}, "\ud800"]),
)
TIMES = st.sampled_from(
    [
        *("2026-01-31T11:59:50Z", "20260131T115950+0000", "2026-01-31 11:59:50.1234567-03:00"),
        *("2026-01-31", "2026-01-31T11:59:50", "2026-01-31T12:01:00Z", "2026-01-31T12:01:00.1Z"),
        *("2025-11-02T12:00:00Z", "2025-11-02T11:59:59Z", "0001-01-01T00:00:00+14:00", "now"),
    ]
)
ROWS = st.fixed_dictionaries(
    {"timestamp": TIMES | VALUES, "num_requests": st.integers(0, 5) | VALUES},
    optional=dict.fromkeys((*parsing.FIELDS[:2], *parsing.FIELDS[4:], "colour"), VALUES),
) | st.just(GOOD)


@given(st.lists(st.one_of(ROWS, ROWS, ROWS, VALUES), min_size=1, max_size=4))
def test_read_at_once_or_one_by_one_the_answer_is_the_same(rows: list[Any]) -> None:
    at_once = _outcome(rows)
    with mock.patch.object(parsing._Reader, "read_all", return_value=None):
        one_by_one = _outcome(rows)

    assert at_once == one_by_one


def test_a_batch_without_faults_is_read_at_once() -> None:
    whole = GOOD | {name: None for name in parsing.FIELDS if name not in GOOD}
    whole_numbers = GOOD | dict.fromkeys(parsing.AMOUNTS, 3)

    with mock.patch.object(parsing._Reader, "read", side_effect=AssertionError):
        found = read([GOOD, whole, whole_numbers])

    assert found[0] == found[1]
    assert type(found[2].latency_p95_ms) is float


def _outcome(rows: list[Any]) -> Any:
    try:
        return [(s, [type(getattr(s, name)) for name in s.__struct_fields__]) for s in read(rows)]
    except InvalidInput as refusal:
        return refusal.errors
