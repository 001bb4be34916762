"""What can go wrong, one class for each thing a caller can do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One refused field: where it is (JSON pointer), a stable code, and a sentence."""

    pointer: str
    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.detail}"


class AssayError(Exception):
    """The registry refused or could not answer; the message is its own sentence.

    Attributes:
        status: HTTP status of the answer; None where there was none.
        problem: The RFC 9457 problem document; empty where there was none.
    """

    def __init__(
        self, message: str, *, status: int | None = None, problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problem: Mapping[str, Any] = problem or {}

    @property
    def code(self) -> str:
        """The stable name of the problem, the last part of its ``type``; empty where unknown."""
        return str(self.problem.get("type", "")).rpartition("/")[2]

    @property
    def errors(self) -> list[FieldError]:
        """Every refused field, in the registry's order."""
        return [
            FieldError(str(e.get("pointer", "")), str(e.get("code", "")), str(e.get("detail", "")))
            for e in self.problem.get("errors") or ()
        ]


class InvalidInput(AssayError):
    """Something sent is not acceptable; ``errors`` names each field and its remedy."""


class Unauthorized(AssayError):
    """No token, or one that is unknown, revoked or expired."""


class PermissionRefused(AssayError):
    """The caller is known, and is not the one who may do this."""


class NotFound(AssayError):
    """There is no such thing, or the caller may not know of it."""


class Conflict(AssayError):
    """It contradicts what is recorded: a taken id, a skipped stage, a stale revision."""


class PromotionBlocked(Conflict):
    """The gate is closed; ``blockers`` lists all that is missing, not just the first."""

    @property
    def blockers(self) -> list[str]:
        """Each condition that does not hold, as a sentence."""
        return [str(blocker) for blocker in self.problem.get("blockers") or ()]


class SnapshotConflict(Conflict):
    """Some snapshots contradict ones recorded before; the rest of those sent are recorded.

    Attributes:
        conflicts: One object for each; its ``index`` counts in the list the caller gave.
        accepted: How many were new.
        duplicates: How many repeated a snapshot with the same values.
    """

    def __init__(
        self,
        message: str,
        *,
        conflicts: Sequence[Mapping[str, Any]],
        accepted: int,
        duplicates: int,
    ) -> None:
        super().__init__(message)
        self.conflicts = conflicts
        self.accepted = accepted
        self.duplicates = duplicates


class Unavailable(AssayError):
    """No answer within the time allowed: the registry, or the way to it, is down."""


class NotSent(Unavailable):
    """No connection came about, so nothing has happened: repeating is safe."""


class DigestMismatch(AssayError):
    """The bytes received are not those the registry recorded; nothing was kept."""


class EvaluationFailed(AssayError):
    """An evaluation ended without results: it failed, or was cancelled."""


class TimedOut(AssayError, TimeoutError):
    """What was waited for has not ended in time; it goes on in the registry."""


BY_STATUS: Mapping[int, type[AssayError]] = {
    400: InvalidInput,
    401: Unauthorized,
    403: PermissionRefused,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def from_answer(status: int, headers: Mapping[str, str], body: bytes) -> AssayError:
    """Name the refusal that an answer with ``status`` 300 or more stands for."""
    if status < 400:
        elsewhere = headers.get("location", "another address")
        return AssayError(f"The registry has moved: set ASSAY_URL to {elsewhere}.", status=status)
    problem = _problem(body)
    kind = PromotionBlocked if "blockers" in problem else BY_STATUS.get(status, AssayError)
    return kind(_message(status, problem), status=status, problem=problem)


def refused(pointer: str, code: str, detail: str) -> InvalidInput:
    """An InvalidInput found before anything was sent, in the form the registry would give it."""
    return InvalidInput(
        f"{pointer or '/'}: {detail}",
        problem={"errors": [{"pointer": pointer, "code": code, "detail": detail}]},
    )


def _problem(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _message(status: int, problem: Mapping[str, Any]) -> str:
    title, detail = str(problem.get("title") or ""), str(problem.get("detail") or "")
    said = ": ".join(dict.fromkeys(part for part in (title, detail) if part))
    fields = [str(error) for error in AssayError("", problem=problem).errors]
    blockers = [str(blocker) for blocker in problem.get("blockers") or ()]
    # What stands in the detail already need not be said twice.
    more = [line for line in fields + blockers if line not in said]
    return "\n  ".join([said or _phrase(status), *more])


def _phrase(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"
