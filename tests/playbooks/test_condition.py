"""The language of conditions: what holds, what is refused, and that nothing ever raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.playbooks import condition
from monitoring.playbooks.condition import ConditionRefused

DATA: dict[str, Any] = {
    "stage": "production",
    "window_minutes": 10,
    "share": 0.5,
    "tags": ["vision", "night"],
    "flag": True,
    "nothing": None,
    "inner": {"depth": 2},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('stage == "production"', True),
        ("stage == 'production'", True),
        ('stage != "production"', False),
        ("window_minutes >= 10", True),
        ("window_minutes > 10", False),
        ("window_minutes < 10.5 and share <= 0.5", True),
        ("share > -1", True),
        ("inner.depth == 2", True),
        ("inner.nowhere == null", True),
        ("nowhere.at.all == 1", False),
        ("nowhere < 1", False),
        ("not nowhere < 1", True),
        ("exists(stage)", True),
        ("exists(nothing)", False),
        ("not exists(inner.nowhere)", True),
        ('stage in ["canary", "production"]', True),
        ('stage not in ["canary"]', True),
        ('"night" in tags', True),
        ('"duct" in stage', True),
        ("1 in stage", False),
        ('"x" in window_minutes', False),
        ("flag", True),
        ("flag == true", True),
        ("flag == 1", False),
        ("window_minutes", False),  # a number is no yes
        ("flag < 2", False),
        ('stage > 1 or stage < "q"', True),
        ("false or true and false", False),
        ("(false or true) and not false", True),
        ('stage == "say \\"hi\\""', False),
        ("[1, [2]] == [1, [2]]", True),
    ],
)
def test_a_condition_says_what_it_reads_as(text: str, holds: bool) -> None:
    assert condition.read(text).holds(DATA) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a field or a value is expected"),
        ("stage ==", "a field or a value is expected"),
        ("stage = 1", "cannot be read"),
        ("stage == 1 1", "nothing is expected where '1' stands"),
        ("(stage", "')' is expected where 'it ends' is"),
        ("[1, 2", "',' is expected where 'it ends' is"),
        ("exists(1)", "takes the name of a field, not '1'"),
        ("stage not 1", "'in' is expected where '1' is"),
        ("__import__('os')", "nothing is expected where '(' stands"),
        ("1x == 1", "cannot be read"),
        ("Stage == 1", "cannot be read"),
        ("a.b()", "nothing is expected where '(' stands"),
        ('"\\q" == 1', "is no text"),
        ("not " * 30 + "flag", "nested deeper than 20"),
        ("(" * 30 + "flag" + ")" * 30, "nested deeper than 20"),
        ("[" * 30 + "]" * 30, "nested deeper than 20"),
        ("x" * 1001, "longer than 1000"),
    ],
)
def test_what_is_no_condition_is_refused_with_a_reason(text: str, said: str) -> None:
    with pytest.raises(ConditionRefused) as refusal:
        condition.read(text)

    assert said in str(refusal.value)


names = st.sampled_from(["stage", "share", "flag", "tags", "nothing", "inner.depth", "nowhere.x"])
constants = st.none() | st.booleans() | st.integers(-99, 99) | st.text("aä\"'\\ ", max_size=4)
operands = names | constants.map(json.dumps)
comparisons = st.tuples(
    operands, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"]), operands
).map(" ".join)
conditions = st.recursive(
    comparisons | names.map("exists({})".format),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({' '.join(t)})")
        | inner.map("not ({})".format)
    ),
    max_leaves=8,
)
values: st.SearchStrategy[Any] = st.recursive(
    constants,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
)


@given(conditions, st.dictionaries(st.sampled_from(list(DATA)), values))
def test_what_was_read_always_has_an_answer(text: str, data: dict[str, Any]) -> None:
    assert condition.read(text).holds(data) in (True, False)


@given(st.text(max_size=60) | st.text("stage()[]<>=!\"'\\ and or not in.,0129", max_size=60))
def test_anything_else_is_refused_and_nothing_worse(text: str) -> None:
    try:
        found = condition.read(text)
    except ConditionRefused:
        return
    assert found.holds(DATA) in (True, False)


@given(comparisons, st.dictionaries(st.sampled_from(list(DATA)), values))
def test_not_turns_an_answer_round(text: str, data: dict[str, Any]) -> None:
    assert condition.read(f"not ({text})").holds(data) is not condition.read(text).holds(data)


@given(conditions, conditions, st.dictionaries(st.sampled_from(list(DATA)), values))
def test_and_binds_and_or_chooses(one: str, other: str, data: dict[str, Any]) -> None:
    left, right = condition.read(one).holds(data), condition.read(other).holds(data)

    assert condition.read(f"{one} and {other}").holds(data) is (left and right)
    assert condition.read(f"{one} or {other}").holds(data) is (left or right)
