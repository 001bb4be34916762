"""Snapshots are kept once each, whole batches or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from monitoring import snapshots
from monitoring.models import PerformanceSnapshot
from monitoring.parsing import Snapshot
from registry import clock
from registry.models import ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import report

Maker = Callable[..., ModelVersion]
API = "/api/model-registry"

pytestmark = pytest.mark.django_db


def at(seconds: int, source: str = "", **figures: Any) -> Snapshot:
    return Snapshot(
        timestamp=NOW + timedelta(seconds=seconds), num_requests=10, source=source, **figures
    )


def test_new_rows_are_accepted_with_the_seed_s_columns(make_version: Maker) -> None:
    version = make_version()

    receipt = report(version, error_rate=0.02)

    row = PerformanceSnapshot.objects.get()
    assert receipt == snapshots.Receipt(accepted=1, duplicates=0, conflicts=())
    assert (row.model_id, row.version, row.error_rate) == (version.model_id, "1.0.0", 0.02)


@pytest.mark.parametrize("role", ["serving", "operator"])
@pytest.mark.parametrize("count", [1, snapshots.FEW + 1])
def test_a_row_knows_whether_a_serving_token_reported_it(
    api: Callable[..., APIClient], make_version: Maker, role: str, count: int
) -> None:
    version, client = make_version(), api(role)
    body = [
        {"timestamp": (NOW - timedelta(seconds=n)).isoformat(), "num_requests": 1}
        for n in range(count)
    ]

    with clock.telling(lambda: NOW):
        client.post(f"{API}/models/{version.model_id}/performance", body, format="json")

    told = list(PerformanceSnapshot.objects.values_list("by_job", flat=True))
    assert told == [role == "serving"] * count


def test_the_same_report_again_is_a_duplicate(make_version: Maker) -> None:
    version = make_version()
    batch = [at(0, error_rate=0.1), at(1, error_rate=0.1)]
    snapshots.store(version, batch)

    again = snapshots.store(version, batch)

    assert again == snapshots.Receipt(accepted=0, duplicates=2, conflicts=())
    assert PerformanceSnapshot.objects.count() == 2


def test_other_values_for_the_same_interval_are_a_conflict_and_the_first_stands(
    make_version: Maker,
) -> None:
    version = make_version()
    snapshots.store(version, [at(0, error_rate=0.1)])

    receipt = snapshots.store(version, [at(5), at(0, error_rate=0.2)])

    assert receipt == snapshots.Receipt(accepted=1, duplicates=0, conflicts=(1,))
    assert PerformanceSnapshot.objects.get(timestamp=NOW).error_rate == 0.1


def test_repeats_within_one_batch_are_told_apart_too(make_version: Maker) -> None:
    receipt = snapshots.store(make_version(), [at(0), at(0), at(0, error_rate=0.5)])

    assert receipt == snapshots.Receipt(accepted=1, duplicates=1, conflicts=(2,))


def test_a_large_batch_keeps_what_is_new_beside_what_is_known(make_version: Maker) -> None:
    version = make_version()
    snapshots.store(version, [at(n, error_rate=0.1) for n in range(0, 3000, 3)])

    batch = [at(n, error_rate=0.2 if n % 2 else 0.1) for n in range(3000)]
    receipt = snapshots.store(version, batch)

    assert receipt == snapshots.Receipt(2000, 500, tuple(range(3, 3000, 6)))
    assert PerformanceSnapshot.objects.filter(error_rate=0.1).count() == 2000


def test_replicas_and_versions_report_the_same_interval_apart(make_version: Maker) -> None:
    first, second = make_version(), make_version()

    snapshots.store(first, [at(0, "a"), at(0, "b")])
    receipt = snapshots.store(second, [at(0, "a")])

    assert receipt.accepted == 1
    assert PerformanceSnapshot.objects.count() == 3


def test_days_get_their_partitions_when_first_spoken_of(make_version: Maker) -> None:
    old = datetime(2025, 12, 24, 23, 59, 59, tzinfo=UTC)

    snapshots.store(
        make_version(),
        [Snapshot(old, 1), Snapshot(old + timedelta(seconds=1), 1)],
    )

    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct tableoid::regclass::text from memory_model_performance order by 1"
        )
        assert [name for (name,) in cursor.fetchall()] == [
            "memory_model_performance_20251224",
            "memory_model_performance_20251225",
        ]


def test_partitions_are_made_a_week_ahead() -> None:
    snapshots.make_partitions_ahead(today=date(2031, 5, 1))

    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('memory_model_performance_20310508') is not null")
        assert cursor.fetchone() == (True,)


def test_the_table_and_its_indexes_are_the_seed_s() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select indexname, indexdef from pg_indexes"
            " where tablename = 'memory_model_performance'"
        )
        indexes = dict(cursor.fetchall())

    assert '(version_id, "timestamp")' in indexes["idx_model_perf_id"]
    assert 'brin ("timestamp")' in indexes["idx_model_perf_time"]


def test_a_version_s_window_is_read_through_its_index(make_version: Maker) -> None:
    version = make_version()
    snapshots.store(version, [at(n) for n in range(2000)])

    with connection.cursor() as cursor:
        cursor.execute("analyze memory_model_performance")
        cursor.execute(
            "explain select * from memory_model_performance"
            " where version_id = %s and timestamp > %s and timestamp <= %s",
            [version.pk, NOW + timedelta(seconds=1990), NOW + timedelta(seconds=2000)],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index Scan" in plan
    assert "Seq Scan" not in plan


def test_times_far_from_ours_with_odd_offsets_are_asked_for_without_harm(
    make_version: Maker, api: Callable[..., APIClient]
) -> None:
    version = make_version()
    report(version, error_rate=0.02)
    path = f"/api/model-registry/models/{version.model_id}/performance"

    trainer = api("trainer")

    found = trainer.get(path, {"since": "0232-09-02T04:14:35-22:53"})
    refused = trainer.get(path, {"since": "0001-01-01T00:00:00+14:00"})

    assert [row["error_rate"] for row in found.json()["snapshots"]] == [0.02]
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/since")
