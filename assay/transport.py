"""What a call is, before it is known whether it goes through a socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

IDEMPOTENT_METHODS = frozenset({"GET", "PUT"})


@dataclass(frozen=True)
class Request:
    """One call of the HTTP contract.

    Attributes:
        path: From the root, quoted, query included.
        body: Bytes, or a file that is sent from its start; None: no body.
        repeatable: Whether doing it twice is doing it once, so that a lost answer may be retried.
        patience: Seconds the whole call may take; None: as the transport is set up.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | BinaryIO | None = None
    repeatable: bool = False
    patience: float | None = None

    @property
    def may_repeat(self) -> bool:
        """Whether an attempt whose answer was lost may be made again."""
        return self.repeatable or self.method in IDEMPOTENT_METHODS


@dataclass(frozen=True)
class Response:
    """An answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """A way to the registry."""

    def exchange(self, request: Request, into: BinaryIO | None = None) -> Response:
        """Send ``request`` and give its answer, refusals included.

        With ``into`` the body of a 200 goes to that file, and the answer's own is empty.

        Raises:
            Unavailable: There was no answer.
        """

    def release(self) -> None:
        """Let go of what this thread alone holds open; called before a helper thread ends."""
