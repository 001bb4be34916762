"""Several work on snapshots at the same time: each is kept once, and added up once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Signal

import psycopg
import pytest
from django.db import connection, transaction

from config import env
from monitoring import rollups, snapshots
from monitoring.models import LateSnapshots, MinuteRollUp, PerformanceSnapshot, RollUpRun
from monitoring.parsing import Snapshot
from registry.models import Event, ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import report

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.usefixtures("committed")

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.mark.parametrize("rows", [snapshots.FEW, 400])
def test_a_batch_that_others_report_at_the_same_time_is_kept_once(
    make_version: Maker, rows: int
) -> None:
    version = make_version()
    batches = [
        [Snapshot(NOW + timedelta(seconds=n), 10) for n in range(k, rows + k)] for k in range(4)
    ]

    with ThreadPoolExecutor(4) as reporters:
        receipts = list(reporters.map(lambda batch: _store_apart(version, batch), batches))

    assert sum(receipt.accepted for receipt in receipts) == rows + 3
    assert sum(receipt.duplicates for receipt in receipts) == 4 * rows - (rows + 3)


def _store_apart(version: ModelVersion, batch: list[Snapshot]) -> snapshots.Receipt:
    try:
        return snapshots.store(version, batch)
    finally:
        connection.close()


def test_snapshots_under_way_while_others_are_added_up_are_added_later(
    make_version: Maker,
) -> None:
    version = make_version()
    report(version, at=NOW - 2 * MINUTE)
    rollups.roll_up(now=NOW - MINUTE)
    written, go_on = Signal(), Signal()

    def report_slowly() -> None:
        try:
            with transaction.atomic():
                report(version, at=NOW - timedelta(seconds=10), source="slow")
                written.set()
                go_on.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as reporter:
        reporting = reporter.submit(report_slowly)
        written.wait(20)
        for tick in range(4):
            rollups.roll_up(now=NOW + tick * MINUTE)
        go_on.set()
        reporting.result(20)
    assert not LateSnapshots.objects.exists()
    rollups.roll_up(now=NOW + 4 * MINUTE)

    assert [m.start for m in MinuteRollUp.objects.order_by("start")] == [
        NOW - 3 * MINUTE,
        NOW - MINUTE,
    ]


def test_a_day_that_somebody_writes_to_is_left_until_later(make_version: Maker) -> None:
    version = make_version()
    report(version, at=NOW - DAY)
    rollups.roll_up(now=NOW)
    RollUpRun.objects.create(rolled_until=NOW, redo_from=NOW, at=NOW)

    with psycopg.connect(env.database_url()) as writer:
        writer.execute("update memory_model_performance set device = 'cpu'")
        rollups.retire(now=NOW + 200 * DAY, retention=90 * DAY)
        writer.rollback()

    assert PerformanceSnapshot.objects.count() == 1
    assert not Event.objects.filter(event_type="snapshots.retired").exists()
