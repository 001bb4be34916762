"""Where each manifest lies in the tree: names that every file system keeps apart. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata

# Lower case, so that nothing collides where case is not told apart; no dots, which Windows drops.
SAFE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
DEVICES = {"con", "prn", "aux", "nul"} | {
    f"{port}{n}" for port in ("com", "lpt") for n in range(10)
}
READABLE = 40  # characters of a name that is told apart by its digest


def folder(name: str) -> str:
    """The folder of a registered model, below the root of the tree.

    A name that is safe is kept. Any other becomes a readable part, ``~``, which no safe name has,
    and 64 bits of its digest.
    """
    if SAFE.fullmatch(name) and name not in DEVICES:
        return f"models/{name}"
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()  # é becomes e
    readable = re.sub(r"[^a-z0-9]+", "-", bare.lower()).strip("-")[:READABLE]
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"models/{readable}~{digest}"


def version_file(name: str, number: int, version: str) -> str:
    """The file of a version: its number keeps it apart, its version is there to be read."""
    readable = re.sub(r"[^A-Za-z0-9._+-]", "-", version)
    return f"{folder(name)}/versions/{number:06d}-{readable}.yaml"


def order(name: str) -> tuple[int, str]:
    """The key by which the names in one folder are sorted: numbers by size, then by letter."""
    digits = re.match(r"[0-9]{1,18}", name)
    return (int(digits.group()) if digits else -1, name)
