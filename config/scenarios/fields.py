"""Take the fields of a mapping one by one, and refuse what is left over. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class ScenarioRefused(Exception):
    """A scenario cannot be read; the sentence names file and field."""


class Fields:
    """A mapping of which each field is taken once.

    Args:
        usual: What holds where the mapping does not say otherwise.
    """

    def __init__(self, value: Any, where: str, usual: Mapping[str, Any] | None = None) -> None:
        if not isinstance(value, Mapping):
            raise ScenarioRefused(f"{where}: give a mapping, not {value!r}.")
        self._left = {**(usual or {}), **value}
        self.where = where

    def take(self, name: str, read: Callable[[Any, str], T], default: T) -> T:
        """The field as ``read`` understands it; ``default`` where it is not there."""
        if name not in self._left:
            return default
        return read(self._left.pop(name), self.at(name))

    def need(self, name: str, read: Callable[[Any, str], T]) -> T:
        """The field, which must be there."""
        if name not in self._left:
            raise ScenarioRefused(f"{self.where}: {name} is missing.")
        return read(self._left.pop(name), self.at(name))

    def rest(self) -> dict[Any, Any]:
        """All that was not taken, which is taken with this."""
        left, self._left = self._left, {}
        return left

    def end(self) -> None:
        """Refuse what was not taken: a misspelt field must not pass for a missing one."""
        if self._left:
            unknown = ", ".join(sorted(map(str, self._left)))
            raise ScenarioRefused(f"{self.where}: there is no field {unknown}.")

    def at(self, name: Any) -> str:
        """What to call a field of this in a refusal."""
        return f"{self.where}.{name}"


def anything(value: Any, where: str) -> Any:
    """The value as it stands, garbage too."""
    return math.nan if value == "NaN" else value


def text(value: Any, where: str) -> str:
    """A word, or a number that is meant as one."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise ScenarioRefused(f"{where}: give text, not {value!r}.")


def number(value: Any, where: str) -> float:
    """A finite number; ``1e-3``, which YAML 1.1 takes for text, too."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            found = float(value)
        except ValueError:
            found = math.nan
        if math.isfinite(found):
            return found
    raise ScenarioRefused(f"{where}: give a number, not {value!r}.")


def positive(value: Any, where: str) -> float:
    """A number over 0."""
    found = number(value, where)
    if found <= 0:
        raise ScenarioRefused(f"{where}: give a number over 0, not {value!r}.")
    return found


def share(value: Any, where: str) -> float:
    """A number from 0 to 1."""
    found = number(value, where)
    if not 0 <= found <= 1:
        raise ScenarioRefused(f"{where}: give a share from 0 to 1, not {value!r}.")
    return found


def times(value: Any, where: str) -> int:
    """How often: a whole number from 1 on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ScenarioRefused(f"{where}: give a whole number from 1 on, not {value!r}.")
    return value


def listed(value: Any, where: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise ScenarioRefused(f"{where}: give a list, not {value!r}.")
    return value


def one_of(choices: Collection[str]) -> Callable[[Any, str], str]:
    """Reads a word that is one of these."""

    def read(value: Any, where: str) -> str:
        if value not in choices:
            raise ScenarioRefused(f"{where}: give {' or '.join(choices)}, not {value!r}.")
        return str(value)

    return read
