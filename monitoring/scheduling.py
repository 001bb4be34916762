"""Have a version's triggers checked soon after its snapshots arrive, once for many."""

from __future__ import annotations

from functools import partial, update_wrapper

from django.db import transaction
from django.utils.module_loading import import_string

from registry import broker
from registry.models import ModelVersion

MARK_SECONDS = 60  # a mark whose task was lost hinders nobody longer; beat sweeps meanwhile


def check_after_commit(version: ModelVersion) -> None:
    """Enqueue one check once the transaction commits, unless one is waiting already.

    Leading edge: the first snapshot is checked at once. Trailing edge: the check clears the
    mark before it reads, so a snapshot that arrives while it reads enqueues another.
    """
    # Robust: the snapshot is safe; with the broker away beat finds it within seconds. Wrapped,
    # because Django logs the name of what failed, and a bare partial has none.
    enqueue = update_wrapper(partial(_enqueue, version.pk), _enqueue)
    transaction.on_commit(enqueue, robust=True)


def clear_mark(version_pk: int) -> None:
    """Say that a check begins to read now."""
    broker.tell(lambda server: server.delete(_mark(version_pk)))


def _enqueue(version_pk: int) -> None:
    # Asked, not told: while the broker is away, no report waits for it.
    if broker.ask(lambda server: server.set(_mark(version_pk), 1, nx=True, ex=MARK_SECONDS)):
        import_string("monitoring.tasks.check_version").delay(version_pk)


def _mark(version_pk: int) -> str:
    return f"assay:check:{version_pk}"
