"""Beat's tick: as many queries for one serving version as for thirty, all through the index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring import assessments, baselines, policies, predecessors, snapshots
from registry import attestations
from registry.models import ModelVersion
from tests.conftest import NOW, take
from tests.monitoring.makers import enter, report, report_every

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

TABLE = "memory_model_performance"
DAY = f"{TABLE}_20260131"
MANY_ROWS = """
insert into memory_model_performance (version_id, model_id, version, timestamp, source,
    num_requests, error_rate, latency_p50_ms, latency_p95_ms, latency_p99_ms, ood_rate)
select id, model_id, version, %s - make_interval(secs => n), '', 100, 0.01, 40, 90, 120, 0.05
from registry_modelversion, generate_series(0, 9999) as n
"""


@pytest.fixture
def evidently(make_version: Maker) -> Callable[[int], None]:
    """Make so many models, each with a production and a canary that declare no latency."""

    def make(models: int) -> None:
        for number in range(models):
            name = f"model {number}"
            production = enter(make_version("production", name=name))
            canary = enter(make_version("canary", name=name))
            policies.change(canary.family, {"rule": "evidence"}, actor="user:1")
            report(production)
            report(canary)

    return make


@pytest.mark.parametrize("models", [1, 15])
def test_a_tick_asks_the_same_few_questions_of_any_number(
    models: int, evidently: Callable[[int], None], django_assert_num_queries: Any
) -> None:
    evidently(models)

    with django_assert_num_queries(8):
        found = assessments.check_serving(now=NOW)

    assert len(found) == 2 * models


def test_many_are_expected_what_each_alone_is(make_version: Maker) -> None:
    made = {}
    for number, p95 in enumerate((80.0, 120.0, None)):
        name = f"model {number}"
        former = enter(make_version("production", name=name))
        report_every(former, [10, 20, 30], latency_p95_ms=p95)
        made[make_version("production", name=name, model_id=f"next_{number}").pk] = p95
        made[make_version("canary", name=name, model_id=f"canary_{number}").pk] = None
    made[make_version("canary", name="alone", model_id="alone").pk] = None
    made[make_version("sandbox", name="told", expected_latency_p95_ms=7.5).pk] = 7.5
    versions = list(ModelVersion.objects.filter(pk__in=made))

    together = baselines.expected_p95_ms(versions)

    assert together == made
    assert together == {v.pk: baselines.expected_p95_ms([v])[v.pk] for v in versions}


def test_the_version_before_is_the_one_production_is_handed_back_to(make_version: Maker) -> None:
    first = make_version("production")
    second = make_version("production", model_id="second")
    third = make_version("production", model_id="third")
    canary = make_version("canary", model_id="canary")

    before = predecessors.productions_before([third, canary])
    attestations.revoke(second.attestations.get(stage="production"), actor="user:1", reason="no")
    later = predecessors.productions_before([third, canary])

    assert before == {third.pk: second.pk, canary.pk: third.pk}
    assert later == {third.pk: first.pk, canary.pk: third.pk}
    assert predecessors.hand_back_target(third) == first


def test_one_whose_artifact_has_changed_since_is_no_predecessor(make_version: Maker) -> None:
    former = make_version("production")
    current = make_version("production", model_id="current")
    ModelVersion.objects.filter(pk=former.pk).update(declared_sha256="e" * 64)

    assert predecessors.productions_before([current]) == {}
    assert predecessors.hand_back_target(current) is None


def test_one_rolled_back_is_no_predecessor(make_version: Maker) -> None:
    make_version("canary", model_id="tried")
    take(ModelVersion.objects.get(model_id="tried"), "rollback")
    current = make_version("production", model_id="current")

    assert predecessors.productions_before([current]) == {}


@pytest.fixture
def big_day(make_version: Maker) -> ModelVersion:
    """A canary among others in a day of fifty thousand rows."""
    enter(make_version("production", model_id="before"))
    enter(make_version("production", model_id="held"))
    for number in range(2):
        make_version("canary", name=f"other {number}")
    canary = enter(make_version("canary", model_id="asked"))
    policies.change(canary.family, {"rule": "evidence"}, actor="user:1")
    snapshots.make_partitions_ahead(today=(NOW - timedelta(days=1)).date())
    with connection.cursor() as cursor:
        cursor.execute(MANY_ROWS, [NOW])
        cursor.execute(f"analyze {TABLE}")
    return canary


@pytest.mark.parametrize("asked", ["one version", "beat's tick"])
def test_a_window_is_found_through_the_index_in_a_big_partition(
    asked: str, big_day: ModelVersion
) -> None:
    with CaptureQueriesContext(connection) as asking:
        if asked == "one version":
            assessments.look(big_day, now=NOW)
        else:
            assessments.check_serving(now=NOW)

    plans = [_plan(q["sql"]) for q in asking.captured_queries if TABLE in q["sql"]]
    assert len(plans) == 4  # expectation, threshold, evidence by snapshots and by minutes
    for plan in plans:
        assert f"Seq Scan on {DAY}" not in plan
        assert f"using {DAY}_version_id_timestamp_idx" in plan


def _plan(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"explain {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())
