"""The files that are measured, found by the digest an evaluation names."""

from __future__ import annotations

import hashlib
from pathlib import Path

from monitoring.evaluations.refusals import NotMeasurable
from registry import artifacts


def find(sha256: str) -> Path:
    """Where the file lies.

    Raises:
        NotMeasurable: The store does not hold it.
    """
    path = artifacts.path_of(sha256)
    if not path.is_file():
        raise NotMeasurable(
            f"The store has no file with sha256 {sha256}; restore it from a backup or upload it "
            "again."
        )
    return path


def verify(sha256: str) -> Path:
    """Where the file lies, once its bytes have been read and found to have this digest.

    Raises:
        NotMeasurable: The store does not hold it, or holds other bytes under its name.
    """
    path = find(sha256)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise NotMeasurable(
            f"The stored file {sha256} has sha256 {found}: it was changed after its upload, so "
            "nothing measured on it would be evidence."
        )
    return path
