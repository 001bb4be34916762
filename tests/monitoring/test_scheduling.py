"""A version is checked at once, and then from time to time while it reports on and on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Timer
from typing import Any

import pytest

from monitoring import scheduling
from registry import broker

pytestmark = pytest.mark.usefixtures("django_db_setup")

VERSION = 2**40  # nobody's
QUEUE = "a queue of this test's"


@pytest.fixture(autouse=True)
def queue(settings: Any) -> Iterator[None]:
    settings.CELERY_TASK_DEFAULT_QUEUE = QUEUE
    yield
    broker.client().delete(QUEUE, f"assay:checked:{VERSION}")


def waited() -> float:
    """Milliseconds until a check may begin."""
    began = time.monotonic()
    scheduling.let_more_arrive(VERSION)
    return 1000 * (time.monotonic() - began)


def test_the_first_check_does_not_wait() -> None:
    assert waited() < 0.5 * scheduling.PAUSE


def test_the_next_lets_more_arrive() -> None:
    scheduling.clear_mark(VERSION)

    assert waited() > 0.8 * scheduling.PAUSE
    assert not broker.client().exists(f"assay:checked:{VERSION}")


def test_it_waits_for_nothing_where_others_wait_for_it() -> None:
    broker.client().lpush(QUEUE, "another version's check")
    scheduling.clear_mark(VERSION)

    scheduling.let_more_arrive(VERSION)

    assert broker.client().exists(f"assay:checked:{VERSION}")


def test_it_ends_its_wait_for_who_comes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "PAUSE", 60_000)
    scheduling.clear_mark(VERSION)
    coming = Timer(0.05, broker.client().lpush, (QUEUE, "another version's check"))

    coming.start()

    assert waited() < 30_000
