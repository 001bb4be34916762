"""Domain errors: every refusal the system makes on purpose, with its HTTP status and code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class RegistryError(Exception):
    """Base of every deliberate refusal. Its message is a sentence people can act on."""

    code = "registry-error"
    title = "The request was refused"
    status = 400

    def details(self) -> dict[str, Any]:
        """What a problem response carries beside its title and sentence."""
        return {}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of the input, and what to do about it."""

    pointer: str  # RFC 6901, "" is the whole body
    code: str
    detail: str


class InvalidInput(RegistryError):
    """The input is malformed; nothing was changed."""

    code = "invalid-input"
    title = "The input is not valid"
    status = 400

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(" ".join(f"{e.pointer or 'body'}: {e.detail}" for e in errors[:5]))
        self.errors = tuple(errors)

    @classmethod
    def of(cls, field: str, detail: str, code: str = "invalid") -> InvalidInput:
        """One error about one top-level field."""
        return cls([FieldError(f"/{field}" if field else "", code, detail)])

    def details(self) -> dict[str, Any]:
        return {
            "errors": [
                {"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in self.errors
            ]
        }


class Unprocessable(InvalidInput):
    """The input is well-formed but cannot be true."""

    code = "unprocessable"
    title = "The input cannot be accepted"
    status = 422


class NotFound(RegistryError):
    code = "not-found"
    title = "There is no such thing"
    status = 404


class NotAllowed(RegistryError):
    """The caller may not do this; the message says who may."""

    code = "not-allowed"
    title = "You may not do this"
    status = 403


class DuplicateModel(RegistryError):
    """The model_id, or this name and version, is taken by ``existing``."""

    code = "duplicate-model"
    title = "This entry exists already"
    status = 409

    def __init__(self, message: str, existing: str) -> None:
        super().__init__(message)
        self.existing = existing

    def details(self) -> dict[str, Any]:
        return {"existing": self.existing}


class Conflict(RegistryError):
    code = "conflict"
    title = "This contradicts what is recorded"
    status = 409


class TransitionRefused(RegistryError):
    code = "transition-refused"
    title = "This move is not possible"
    status = 409


class PromotionBlocked(RegistryError):
    """A gate is closed; ``blockers`` names all that is missing."""

    code = "promotion-blocked"
    title = "The gate is closed"
    status = 409

    def __init__(self, message: str, blockers: Sequence[str]) -> None:
        super().__init__(f"{message} {' '.join(blockers)}")
        self.blockers = list(blockers)

    def details(self) -> dict[str, Any]:
        return {"blockers": self.blockers}


class PreconditionFailed(RegistryError):
    code = "precondition-failed"
    title = "It has changed since you read it"
    status = 412


class TooLarge(RegistryError):
    code = "too-large"
    title = "This is too large"
    status = 413
