"""Whether what a backup promised is there after restoring, and what is newer outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db.models import Max

from config.backups.contents import Contents
from config.backups.errors import BackupRefused
from config.backups.homes import sha256_of
from registry import artifacts
from registry.ledger import checkpoints, verify
from registry.models import Artifact, Event


def check(contents: Contents, *, outside: Path | None) -> Iterator[str]:
    """Look at everything that was restored; a sentence for each thing found in order.

    Args:
        outside: Checkpoints that were kept elsewhere than in the backup.

    Raises:
        BackupRefused: Something is missing or different.
    """
    yield _events(contents)
    yield _artifacts(contents)
    yield _ledger(contents)
    yield _newer(contents, outside)


def _events(contents: Contents) -> str:
    newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if newest != contents.newest_event_id:
        raise BackupRefused(
            f"The newest event is {newest}, and the backup was taken at {contents.newest_event_id}."
        )
    return f"The record ends at event {newest}, as when the backup was taken."


def _artifacts(contents: Contents) -> str:
    """Every row points at a file with its digest, read anew from the disk."""
    rows = list(Artifact.objects.values_list("sha256", flat=True))
    wrong = [digest for digest in rows if sha256_of(artifacts.path_of(digest)) != digest]
    if wrong or set(rows) != set(contents.artifacts):
        raise BackupRefused(
            f"Artifacts are missing or damaged: {', '.join(wrong) or 'rows differ'}."
        )
    return f"All {len(rows)} artifacts have the bytes that their digests name."


def _ledger(contents: Contents) -> str:
    """The restored tree is that of the backup, and fits every checkpoint that came with it."""
    copies = list(checkpoints.copies(checkpoints.outside_file()))
    report = verify.verify(copies, progress=lambda done, total: None)
    said = [finding.what for finding in report.findings]
    if report.leaves != contents.tree_size:
        said.insert(0, f"It has {report.leaves} leaves, and the backup {contents.tree_size}.")
    if said:
        raise BackupRefused(f"The ledger does not verify: {' '.join(said[:5])}")
    return f"The ledger verifies: {report.leaves} events, {report.checkpoints} checkpoints."


def _newer(contents: Contents, outside: Path | None) -> str:
    """How much was signed after the backup was taken, by what was kept elsewhere."""
    if outside is None:
        return (
            "What was recorded after the backup is lost; --outside FILE, the checkpoints that the "
            "lost registry left, says how much that is."
        )
    newest = max(checkpoints.copies(outside), key=lambda copy: copy.size, default=None)
    if newest is None or newest.size <= contents.tree_size:
        return f"Nothing in {outside} is newer than this backup."
    return (
        f"{newest.size - contents.tree_size} events up to {newest.signed_at:%Y-%m-%d %H:%M:%S} UTC "
        f"are newer than this backup and lost: {outside} speaks of {newest.size}."
    )
