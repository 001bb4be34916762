"""The conditions of playbooks: a small language over an event's data. Pure, and never ``eval``.

    stage == "production" and not (window_minutes < 10 or kind in ["no_data", "breach"])

Names are fields of the data, dotted to reach inside. A field that is not there is ``null``;
``exists(name)`` tells. Ordering things that have no order is false, so a condition that was read
always has an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 1_000  # characters
DEEPEST = 20  # parentheses, lists and nots in each other

TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?![\w.]))
      | (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<plain>'[^'\\]*')
      | (?P<name>[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*)
      | (?P<sign>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)
    )""",
    re.VERBOSE,
)
WORDS = {"and", "or", "not", "in", "exists", "true", "false", "null"}
CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None}
ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}

Data = Mapping[str, Any]
Value = Callable[[Data], Any]


class ConditionRefused(ValueError):
    """It cannot be read; the message says where and what was expected."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read."""

    text: str
    value: Value

    def holds(self, data: Data) -> bool:
        """Whether it holds for an event's data. Never raises."""
        return self.value(data) is True


ALWAYS = Condition("", lambda _: True)


def read(text: str) -> Condition:
    """Read a condition.

    Raises:
        ConditionRefused: It is none.
    """
    if len(text) > LONGEST:
        raise ConditionRefused(f"it is longer than {LONGEST} characters")
    reader = _Reader(_tokens(text))
    value = reader.disjunction(0)
    if reader.ahead[1]:
        raise ConditionRefused(f"nothing is expected where {reader.ahead[1]!r} stands")
    return Condition(text, value)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None:
            raise ConditionRefused(f"{text[at:].strip()[:20]!r} cannot be read")
        kind = match.lastgroup or ""
        found.append(("word" if match[kind] in WORDS else kind, match[kind]))
        at = match.end()
    return [*found, ("end", "")]


class _Reader:
    """Reads by descent: or, and, not, comparison, operand."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.rest = iter(tokens)
        self.ahead = next(self.rest)

    def disjunction(self, depth: int) -> Value:
        values = [self._conjunction(depth)]
        while self._take("or"):
            values.append(self._conjunction(depth))
        return values[0] if len(values) == 1 else _any_of(values)

    def _conjunction(self, depth: int) -> Value:
        values = [self._negation(depth)]
        while self._take("and"):
            values.append(self._negation(depth))
        return values[0] if len(values) == 1 else _all_of(values)

    def _negation(self, depth: int) -> Value:
        if depth > DEEPEST:
            raise ConditionRefused(f"it is nested deeper than {DEEPEST}")
        if self._take("not"):
            inner = self._negation(depth + 1)
            return lambda data: inner(data) is not True
        return self._comparison(depth)

    def _comparison(self, depth: int) -> Value:
        left = self._operand(depth)
        if self._take("in"):
            return _within(left, self._operand(depth))
        if self._take("not"):
            self._expect("in")
            inside = _within(left, self._operand(depth))
            return lambda data: not inside(data)
        sign = self.ahead[1]
        if sign not in ("==", "!=", *ORDERS):
            return left
        self._next()
        return _compared(sign, left, self._operand(depth))

    def _operand(self, depth: int) -> Value:
        kind, text = self._next()
        if text == "(":
            inner = self.disjunction(depth + 1)
            self._expect(")")
            return inner
        if text == "[":
            return self._list(depth + 1)
        if kind == "name":
            return lambda data: field(data, text)
        if text == "exists":
            return self._exists()
        return _constant(kind, text)

    def _list(self, depth: int) -> Value:
        values: list[Value] = []
        while not self._take("]"):
            if values:
                self._expect(",")
            if depth > DEEPEST:
                raise ConditionRefused(f"it is nested deeper than {DEEPEST}")
            values.append(self._operand(depth))
        return lambda data: [value(data) for value in values]

    def _exists(self) -> Value:
        self._expect("(")
        kind, name = self._next()
        if kind != "name":
            raise ConditionRefused(f"exists(…) takes the name of a field, not {name!r}")
        self._expect(")")
        return lambda data: field(data, name) is not None

    def _next(self) -> tuple[str, str]:
        taken = self.ahead
        self.ahead = next(self.rest, ("end", ""))
        return taken

    def _take(self, text: str) -> bool:
        if self.ahead[0] in ("word", "sign") and self.ahead[1] == text:
            self._next()
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise ConditionRefused(f"{text!r} is expected where {self.ahead[1] or 'it ends'!r} is")


def field(data: Data, name: str) -> Any:
    """The field of a dotted name; None where there is none."""
    found: Any = data
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _constant(kind: str, text: str) -> Value:
    if text in CONSTANTS:
        constant = CONSTANTS[text]
    elif kind == "plain":
        constant = text[1:-1]
    elif kind in ("text", "number"):
        try:
            constant = json.loads(text)
        except ValueError as error:
            raise ConditionRefused(f"{text} is no text") from error
    else:
        raise ConditionRefused(f"a field or a value is expected where {text or 'it ends'!r} is")
    return lambda _: constant


def _any_of(values: list[Value]) -> Value:
    return lambda data: any(value(data) is True for value in values)


def _all_of(values: list[Value]) -> Value:
    return lambda data: all(value(data) is True for value in values)


def _compared(sign: str, left: Value, right: Value) -> Value:
    if sign == "==":
        return lambda data: _same(left(data), right(data))
    if sign == "!=":
        return lambda data: not _same(left(data), right(data))
    order = ORDERS[sign]

    def ordered(data: Data) -> bool:
        one, other = left(data), right(data)
        return _sort(one) is not None and _sort(one) == _sort(other) and order(one, other)

    return ordered


def _within(item: Value, collection: Value) -> Value:
    def inside(data: Data) -> bool:
        one, among = item(data), collection(data)
        if isinstance(among, str):
            return isinstance(one, str) and one in among
        return isinstance(among, list) and any(_same(one, other) for other in among)

    return inside


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON is: true is not 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _sort(value: Any) -> str | None:
    """What may be ordered with what: numbers with numbers, text with text."""
    if isinstance(value, bool):
        return None
    return (
        "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else None
    )
