"""What the Co-Pilot says, in every face: sentences, the records behind them, what may follow. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What sort of reply it is."""

    ANSWER = "answer"
    PLAN = "plan"  # a change that waits for a confirmation
    QUESTION = "question"  # say which
    REFUSAL = "refusal"  # not understood, or not allowed


@dataclass(frozen=True, slots=True)
class Record:
    """Something on record that a reply rests on."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Call:
    """The API call that a reply stands for."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        body = "" if self.body is None else f" {json.dumps(dict(self.body), ensure_ascii=False)}"
        return f"{self.method} {self.path}{body}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply."""

    kind: Kind
    says: tuple[str, ...]  # sentences, the most important first
    call: Call | None = None
    blockers: tuple[str, ...] = ()  # what is in the way of a plan, or of a gate
    records: tuple[Record, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()  # its head first
    choices: tuple[str, ...] = ()  # what may be said next
    confirmation: str = ""  # plans without blockers: signed, for a few minutes
    exact: bool = True  # what it is about was named as it is written


def refusal(*says: str, choices: tuple[str, ...] = ()) -> Reply:
    """A reply that declines."""
    return Reply(Kind.REFUSAL, says, choices=choices)


def question(*says: str, choices: tuple[str, ...] = ()) -> Reply:
    """A reply that asks back."""
    return Reply(Kind.QUESTION, says, choices=choices)


def listed(names: list[str]) -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
