"""Have a version's triggers checked soon after its snapshots arrive, once for many."""

from __future__ import annotations

import time
from functools import partial, update_wrapper

import redis
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from registry import broker
from registry.models import ModelVersion

MARK_SECONDS = 60  # a mark whose task was lost hinders nobody longer; beat sweeps meanwhile
PAUSE = 200  # ms between checks of one version, where a worker has the time
LOOK_EVERY = 0.01  # seconds


def check_after_commit(version: ModelVersion) -> None:
    """Enqueue one check once the transaction commits, unless one is waiting already.

    Leading edge: the first snapshot is checked at once. Trailing edge: the check clears the
    mark before it reads, so a snapshot that arrives while it reads enqueues another, which lets more
    arrive before it reads.
    """
    # Robust: the snapshot is safe; with the broker away beat finds it within seconds. Wrapped,
    # because Django logs the name of what failed, and a bare partial has none.
    enqueue = update_wrapper(partial(_enqueue, version.pk), _enqueue)
    transaction.on_commit(enqueue, robust=True)


def let_more_arrive(version_pk: int) -> None:
    """Wait where a check of this version began less than PAUSE ago, as long as nobody else waits.

    So a version that reports all the time is not judged all the time, and no other waits for it.
    """

    def has_time(server: redis.Redis) -> bool:
        begun = server.exists(_begun(version_pk))
        return bool(begun and not server.llen(settings.CELERY_TASK_DEFAULT_QUEUE))

    while broker.tell(has_time):
        time.sleep(LOOK_EVERY)


def clear_mark(version_pk: int) -> None:
    """Say that a check begins to read now."""

    def begin(server: redis.Redis) -> None:
        said = server.pipeline(transaction=False)
        said.delete(_mark(version_pk))
        said.set(_begun(version_pk), 1, px=PAUSE)
        said.execute()

    broker.tell(begin)


def _enqueue(version_pk: int) -> None:
    # Asked, not told: while the broker is away, no report waits for it.
    if broker.ask(lambda server: server.set(_mark(version_pk), 1, nx=True, ex=MARK_SECONDS)):
        import_string("monitoring.tasks.check_version").delay(version_pk)


def _mark(version_pk: int) -> str:
    return f"assay:check:{version_pk}"


def _begun(version_pk: int) -> str:
    return f"assay:checked:{version_pk}"
