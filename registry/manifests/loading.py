"""Read the YAML of a manifest: no tags, no aliases, no repeats, nothing to guess. Pure.

Plain words are read as YAML 1.2 reads them, so ``NO`` is text; what YAML 1.2 would make something
of that JSON does not know (``~``, ``True``, ``0x1f``, ``.inf``, ``007``) is refused, not guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from registry.manifests.refusals import ManifestRefused

MAX_BYTES = 16 * 1024**2
MAX_DEPTH = 100  # collections in each other
MAX_VALUES = 500_000
KNOWN_DEPTH = 4  # lines are kept for what lies this deep; deeper ones are found at their parent
MAX_DIGITS = 4_000  # Python reads no longer ones

Path = tuple[str, ...]

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
GUESSED = re.compile(
    r"~|[Nn]ull|NULL|[Tt]rue|TRUE|[Ff]alse|FALSE|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
    r"|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|"
)
UNREADABLE = re.compile(
    "[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's value, and on which line each of its upper keys and listed values stands."""

    file: str
    value: dict[str, Any]
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of the key at ``path``, or of the nearest one around it that is known."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def refusal(self, path: Path, sentence: str) -> ManifestRefused:
        """The refusal of what stands at ``path``."""
        where = ".".join(path)
        return ManifestRefused.at(
            self.file, self.line(path), f"{where}: {sentence}" if where else sentence
        )


def load(content: bytes, *, file: str) -> Loaded:
    """Read one document, a mapping.

    Args:
        file: What to call it in refusals.

    Raises:
        ManifestRefused: It is no YAML, or more than the plain part of it; the line is named.
    """
    if len(content) > MAX_BYTES:
        raise ManifestRefused.at(
            file, 1, f"It is over {MAX_BYTES} bytes; a manifest may have so many."
        )
    return _Reader(file, _text(content, file)).document()


def _text(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestRefused.at(file, line, "It is not UTF-8.") from error


@dataclass
class _Reader:
    """Builds values from libyaml's events; Python's own parser loses U+0085."""

    file: str
    text: str
    lines: dict[Path, int] = field(default_factory=dict)
    values: int = 0

    def __post_init__(self) -> None:
        self.events = self._events()

    def document(self) -> Loaded:
        next(self.events)  # the start of the stream
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise ManifestRefused.at(self.file, 1, "It is empty.")
        if start.version or start.tags:
            raise self._refusal(start, "Directives are not read here; leave the % lines out.")
        value = self._value(next(self.events), (), 0)
        next(self.events)  # the end of the document
        more = next(self.events)
        if not isinstance(more, yaml.StreamEndEvent):
            raise self._refusal(more, "A second document begins; give it a file of its own.")
        if not isinstance(value, dict):
            raise ManifestRefused.at(self.file, 1, "A manifest is a mapping: apiVersion, kind, ….")
        return Loaded(self.file, value, self.lines)

    def _events(self) -> Iterator[Any]:
        try:
            yield from yaml.parse(self.text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            said = " ".join(part for part in (error.context, error.problem) if part)
            line = mark.line + 1 if mark else 1
            raise ManifestRefused.at(self.file, line, f"This is no YAML: {said}.") from error
        except yaml.reader.ReaderError as error:
            raise ManifestRefused.at(
                self.file, _line_of_unreadable(self.text), f"This is no YAML: {error.reason}."
            ) from error

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        self._check(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth + 1)
        return self._mapping(path, depth + 1)

    def _check(self, event: Any, depth: int) -> None:
        self.values += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._refusal(event, "Anchors and aliases are not read here; write it out.")
        if event.tag is not None:
            raise self._refusal(event, f"Tags such as {event.tag} are not read here; leave it out.")
        if depth > MAX_DEPTH:
            raise self._refusal(event, f"It is nested deeper than {MAX_DEPTH}.")
        if self.values > MAX_VALUES:
            raise self._refusal(event, f"It has more than {MAX_VALUES} values.")

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            below = (*path, str(len(found)))
            if len(below) <= KNOWN_DEPTH:
                self.lines[below] = event.start_mark.line + 1
            found.append(self._value(event, below, depth))
        return found

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, depth)
            if key in found:
                raise self._refusal(event, f"{key!r} is given twice.")
            below = (*path, key)
            if len(below) <= KNOWN_DEPTH:
                self.lines[below] = event.start_mark.line + 1
            found[key] = self._value(next(self.events), below, depth)
        return found

    def _key(self, event: Any, depth: int) -> str:
        self._check(event, depth)
        key = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None
        if not isinstance(key, str):
            raise self._refusal(event, "Keys are text; put it in quotes.")
        return key

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if "\0" in text:
            raise self._refusal(event, "A string has \\0, which cannot be kept; leave it out.")
        if event.style or not event.implicit[0]:
            return text
        if text in WORDS:
            return WORDS[text]
        if NUMBER.fullmatch(text):
            return self._number(event)
        if GUESSED.fullmatch(text):
            raise self._refusal(
                event,
                f"{text or 'An empty value'} is read differently by different readers; put it in quotes, "
                "or write null, true, false or a decimal number.",
            )
        return text

    def _number(self, event: Any) -> int | float:
        text: str = event.value
        if len(text) > MAX_DIGITS:
            raise self._refusal(event, f"A number has at most {MAX_DIGITS} digits.")
        if "." not in text and "e" not in text.lower():
            return int(text)
        number = float(text)
        if not math.isfinite(number):
            raise self._refusal(event, f"{text} is too large for a number.")
        return as_kept(number)

    def _refusal(self, event: Any, sentence: str) -> ManifestRefused:
        return ManifestRefused.at(self.file, event.start_mark.line + 1, sentence)


def as_kept(number: float) -> int | float:
    """The number as the database's JSON gives it back: whole where it has an exponent, no -0.0."""
    return int(Decimal(repr(number))) if "e+" in repr(number) else number + 0.0


def _line_of_unreadable(text: str) -> int:
    """The line of the first character that YAML does not allow."""
    found = UNREADABLE.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
