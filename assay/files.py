"""Local files on their way to the registry and back: digests, and no half-written file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from assay.errors import DigestMismatch

CHUNK = 1 << 20  # bytes

PathOrFile = str | os.PathLike[str] | BinaryIO


@contextlib.contextmanager
def opened(source: PathOrFile) -> Iterator[BinaryIO]:
    """``source`` open for reading from its start; a file stays open, a path is closed again.

    Raises:
        ValueError: The file cannot be read twice, and its digest is sent ahead of its bytes.
    """
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            yield file
        return
    if not source.seekable():
        raise ValueError("The file cannot seek: give a path, or read it into io.BytesIO.")
    yield source


def size_and_sha256(file: BinaryIO) -> tuple[int, str]:
    """Length in bytes and hexadecimal digest of the whole of ``file``."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return file.tell(), digest.hexdigest()


def sent_headers(file: BinaryIO) -> dict[str, str]:
    """What goes ahead of the bytes of ``file``, so that none are stored altered."""
    size, sha256 = size_and_sha256(file)
    return {
        "Accept": "application/json, application/problem+json",
        "Content-Type": "application/octet-stream",
        "Content-Length": str(size),
        "Digest": f"sha-256={sha256}",
    }


@contextlib.contextmanager
def appearing(target: Path) -> Iterator[BinaryIO]:
    """A new file that takes ``target``'s name once whole, and is gone if the block fails."""
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("x+b") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def check(file: BinaryIO, sha256: str) -> None:
    """Raises DigestMismatch: the bytes of ``file`` are not those with this ``sha256``."""
    found = size_and_sha256(file)[1]
    if found != sha256:
        raise DigestMismatch(f"Received bytes with sha256 {found}; recorded is {sha256}.")
