"""Write plain values as YAML that every reader reads alike. Pure.

PyYAML's own writer leaves ``1e3`` unquoted, which YAML 1.2 reads as a number, and escapes emoji.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Unquoted only what no dialect of YAML takes for anything but text.
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+-]+)*")
WORDS = {
    "true",
    "false",
    "null",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
}  # of some dialect, in any case
LONGEST_KEY = 100  # characters; libyaml wants longer ones, from 1,024 bytes, marked with "?"
STEP = 2  # blanks


def dump(document: Mapping[str, Any]) -> str:
    """The document in block style, keys in the order given.

    Raises:
        ValueError: A number is not finite.
    """
    return "".join(f"{line}\n" for line in _mapping(document, 0))


def _mapping(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, item in value.items():
        name = _text(key)
        if len(name) > LONGEST_KEY:
            yield f"{pad}? {name}"
            name = ""
        yield from _under(f"{pad}{name}:", item, indent)


def _sequence(value: Sequence[Any], indent: int) -> Iterator[str]:
    for item in value:
        if _is_block(item):
            first, *rest = _block(item, indent + STEP)
            yield f"{' ' * indent}- {first.lstrip(' ')}"
            yield from rest
        else:
            yield from _under(f"{' ' * indent}-", item, indent)


def _under(head: str, value: Any, indent: int) -> Iterator[str]:
    """``head`` with the value behind it, or below it."""
    if _is_block(value):
        yield head
        yield from _block(value, indent + STEP)
    elif isinstance(value, str) and _is_literal(value):
        yield from _literal(head, value, " " * (indent + STEP))
    else:
        yield f"{head} {_flow(value)}"


def _is_block(value: Any) -> bool:
    """Whether the value takes lines of its own; lists of numbers stay on one."""
    if isinstance(value, list):
        return any(isinstance(item, str | list | dict) for item in value)
    return isinstance(value, Mapping) and bool(value)


def _block(value: Any, indent: int) -> Iterator[str]:
    return _sequence(value, indent) if isinstance(value, list) else _mapping(value, indent)


def _flow(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return json.dumps(value, allow_nan=False)


def _text(value: str) -> str:
    if PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    return f'"{"".join(map(_escaped, value))}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    if char in ESCAPES:
        return ESCAPES[char]
    return f"\\u{ord(char):04X}" if ord(char) < 0x10000 else f"\\U{ord(char):08X}"


ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _is_literal(value: str) -> bool:
    """Whether text of several lines keeps every character when it is written as it stands."""
    lines = value.split("\n")
    return (
        len(lines) > 1
        and value.strip("\n") != ""
        and not value.lstrip("\n").startswith(" ")
        and all(line.isprintable() and not line.endswith(" ") for line in lines)
    )


def _literal(head: str, value: str, pad: str) -> Iterator[str]:
    kept = len(value) - len(value.rstrip("\n"))
    yield f"{head} |{'-' if kept == 0 else '+' if kept > 1 else ''}"
    for line in value.removesuffix("\n").split("\n"):
        yield f"{pad}{line}" if line else ""
