"""Sign how large the tree is and what its root is, and leave a copy outside the database."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from django.db import transaction

from assay.notes import Checkpoint
from registry.ledger import keys, tree
from registry.models import LedgerCheckpoint

EVERY = timedelta(seconds=30)
OUTSIDE = "checkpoints.jsonl"
TAIL = 64 * 1024  # bytes at the end of the outside file, over a hundred lines


@dataclass(frozen=True, slots=True)
class Copy:
    """A checkpoint as a file outside the database keeps it."""

    size: int
    note: str
    signed_at: datetime
    line: int


@transaction.atomic
def sign(*, now: datetime) -> LedgerCheckpoint | None:
    """Sign the tree as it is, if it has grown and EVERY has passed since the last time.

    Raises:
        KeyMissing: It was signed before, and the key is gone.
    """
    if not tree.hold():
        return None
    newest = LedgerCheckpoint.objects.order_by("-tree_size").first()
    edge = tree.frontier()
    if edge.size == (newest.tree_size if newest else 0):
        return None
    if newest is not None and now - newest.signed_at < EVERY:
        return None
    key = keys.signing(make=newest is None)
    stated = Checkpoint(key.verifier.name, edge.size, edge.root())
    return LedgerCheckpoint.objects.create(
        tree_size=stated.size, root=stated.root, note=key.sign(stated.text), signed_at=now
    )


def publish() -> int:
    """Append to the outside file every checkpoint that it does not hold yet; how many.

    After the commit, so that the file never knows what the database does not; where the process
    dies in between, the next call appends it.
    """
    file = outside_file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("a+b") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        known = _keep_whole_lines(out)
        newer = list(LedgerCheckpoint.objects.filter(tree_size__gt=known).order_by("tree_size"))
        out.write(b"".join(map(_line, newer)))
        out.flush()
        os.fsync(out.fileno())
    return len(newer)


def outside_file() -> Path:
    """The file beside the key that keeps a copy of every checkpoint."""
    return keys.folder() / OUTSIDE


def copies(file: Path) -> Iterator[Copy]:
    """The checkpoints a file keeps, as they were appended; a line half written is passed over.

    A line that cannot be read is a copy without a note, which no key has signed.
    """
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if line.endswith("\n"):
                yield _copy(line, number)


def _copy(line: str, number: int) -> Copy:
    try:
        kept = json.loads(line)
        at = datetime.fromisoformat(kept["signed_at"]).astimezone(UTC)
        return Copy(int(kept["size"]), str(kept["note"]), at, number)
    except (ValueError, KeyError, TypeError):
        return Copy(0, "", datetime.fromtimestamp(0, UTC), number)


def _keep_whole_lines(file: IO[bytes]) -> int:
    """Cut off what a process that died while writing left; the size that the last line speaks of.

    Only the end is read: the file grows by a line with every checkpoint, for years.
    """
    end = file.seek(0, os.SEEK_END)
    start = max(0, end - TAIL)
    file.seek(start)
    read = file.read()
    file.truncate(start + read.rfind(b"\n") + 1)
    lines = read.decode(errors="replace").split("\n")[1 if start else 0 : -1]
    return max((_copy(line, 0).size for line in lines), default=0)


def _line(checkpoint: LedgerCheckpoint) -> bytes:
    kept = {
        "size": checkpoint.tree_size,
        "signed_at": checkpoint.signed_at.isoformat(),
        "note": checkpoint.note,
    }
    return f"{json.dumps(kept)}\n".encode()
