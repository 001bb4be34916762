"""Whether what a backup promised is there after restoring, and what is newer outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db.models import Max

from config.backups.contents import Contents
from config.backups.errors import BackupRefused
from config.backups.homes import sha256_of
from registry import artifacts
from registry.models import Artifact, Event


def check(contents: Contents, *, home: Path) -> Iterator[str]:
    """Look at everything that was restored; a sentence for each thing found in order.

    Raises:
        BackupRefused: Something is missing or different.
    """
    yield _events(contents)
    yield _artifacts(contents)


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
