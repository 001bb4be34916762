"""JSON comes in strictly, and large batches are read as strictly as everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import wire
from registry.errors import InvalidInput

NUMBERS = [
    "0",
    "-0",
    "1.5",
    "1e5",
    "1E400",
    "NaN",
    "-Infinity",
    "01",
    "1.",
    "9" * 30,
    "true",
    "null",
]
TEXTS = ["a", " a", ":a", "a:", '\\"', "\\u0000", "\\ud800", "\\u0041", "\t", "\x7f", "é", ""]
BLANKS = st.sampled_from(["", "", "", " ", "\n", "\t"])
STRINGS = st.sampled_from(TEXTS).map(lambda text: f'"{text}"')


@st.composite
def objects(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    """An object as text; its keys may come twice, and blanks stand anywhere."""
    pairs = draw(st.lists(st.tuples(STRINGS, BLANKS, BLANKS, values, BLANKS), max_size=3))
    return "{" + ",".join(f"{key}{a}:{b}{value}{c}" for key, a, b, value, c in pairs) + "}"


PLAIN = STRINGS | st.sampled_from(NUMBERS)
NESTED = PLAIN | objects(PLAIN) | objects(PLAIN).map(lambda text: f"[{text}]")
BODIES = st.lists(objects(NESTED) | PLAIN, max_size=3).map(lambda rows: f"[{','.join(rows)}]")


@given(
    BODIES.map(str.encode) | st.binary(max_size=12).map(lambda found: b'[{"a":"' + found + b'"}]')
)
def test_read_fast_or_strictly_the_answer_is_the_same(body: bytes) -> None:
    assert _outcome(wire.loads, body) == _outcome(wire._strictly, body)


def test_a_batch_as_clients_send_it_is_read_fast() -> None:
    rows = [{"timestamp": "2026-01-31T12:00:00Z", "num_requests": n, "source": "a"} for n in (1, 2)]

    spacious, tight = json.dumps(rows), json.dumps(rows, separators=(",", ":"))

    assert wire._flat_rows(spacious.encode()) == rows
    assert wire._flat_rows(tight.encode()) == rows


@pytest.mark.parametrize(
    "body",
    [
        b'[{"a":1,"a":2}]',
        b'[{"a" :1,"a":2}]',
        b'[{"a":1,"a"\n:2}]',
        b'[{"a":[{"b":1,"b":1}]}]',
        b'[{"a":1,"\\u0061":2}]',
    ],
)
def test_a_key_given_twice_in_a_batch_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        wire.loads(body)

    assert refusal.value.errors[0].code == "repeated"


def _outcome(load: Any, body: bytes) -> Any:
    try:
        return repr(load(body))
    except InvalidInput as refusal:
        return refusal.errors
