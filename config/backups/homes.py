"""What a backup takes from a home and puts back: keys, checkpoints, artifacts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

# Sessions are signed with the first, checkpoints of the ledger with what the folder holds.
KEYS = ("secret_key", "ledger")


def files_to_keep(home: Path) -> Iterator[Path]:
    """The home's keys and outside checkpoints, in order; what is not there is passed over."""
    for name in KEYS:
        path = home / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(inner for inner in path.rglob("*") if inner.is_file())


def artifact_path(home: Path, sha256: str) -> Path:
    """Where the store below ``home`` keeps the artifact of this digest."""
    return home / "artifacts" / "sha256" / sha256[:2] / sha256


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
