"""What is wrong with a manifest, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.errors import RegistryError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the file, the line (from 1), and what to do about it."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


class ManifestRefused(RegistryError):
    """Manifests cannot be read or applied; nothing was changed."""

    code = "manifest-refused"
    title = "The manifest is refused"
    status = 422

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)

    @classmethod
    def at(cls, file: str, line: int, sentence: str) -> ManifestRefused:
        """One thing that is wrong."""
        return cls([Fault(file, line, sentence)])
