"""What the seed says in words holds too: its thresholds, its table, its tab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from rest_framework.test import APIClient

from registry.models import ModelVersion
from tests import seed_blocks
from tests.people import People
from tests.running import ROOT

EXPECTED_P95_MS = 100.0
# How each line of the seed's list begins, and what snapshots call it.
METRICS = {
    "Error rate": "error_rate",
    "Latency degradation": "latency_p95_ms",
    "OOD rate": "ood_rate",
    "Input drift score": "input_drift_score",
}


def limits() -> list[tuple[str, float]]:
    """Each metric with the value it may just have, read from the seed's list."""
    found = []
    for line in seed_blocks.listed_under("Automatic Rollback Triggers"):
        ((name, number, percent),) = re.findall(r"^(.+?) > ([\d.]+)(%?)", line)
        limit = float(number) / 100 if percent else float(number)
        above = METRICS[name] == "latency_p95_ms"
        found.append((METRICS[name], EXPECTED_P95_MS * (1 + limit) if above else limit))
    return found


@pytest.fixture
def canary(db: None, make_version: Callable[..., ModelVersion]) -> ModelVersion:
    return make_version(stage="canary", expected_latency_p95_ms=EXPECTED_P95_MS)


def test_the_seed_names_four_triggers() -> None:
    assert limits() == [
        ("error_rate", 0.05),
        ("latency_p95_ms", 150.0),
        ("ood_rate", 0.2),
        ("input_drift_score", 0.3),
    ]


@pytest.mark.parametrize(("metric", "limit"), limits())
def test_at_the_limit_nothing_asks_for_a_rollback(
    metric: str, limit: float, canary: ModelVersion, api: Callable[..., APIClient]
) -> None:
    said = reported(canary, api("operator"), {metric: limit})

    assert (said["should_rollback"], said["reasons"]) == (False, [])


@pytest.mark.parametrize(("metric", "limit"), limits())
def test_just_over_the_limit_the_metric_asks_for_a_rollback(
    metric: str, limit: float, canary: ModelVersion, api: Callable[..., APIClient]
) -> None:
    said = reported(canary, api("operator"), {metric: limit * 1.001})

    assert said["should_rollback"] is True
    assert [t["metric"] for t in said["triggers"] if t["verdict"] == "rollback"] == [metric]
    assert len(said["reasons"]) == 1


def test_the_table_has_the_seeds_columns_and_indexes(db: None) -> None:
    sql = seed_blocks.block("memory_model_performance").text
    columns = re.findall(r"^    (\w+) ", sql, re.MULTILINE)
    indexes = re.findall(r"CREATE INDEX (\w+) ON (\w+)", sql)

    with connection.cursor() as cursor:
        description = connection.introspection.get_table_description(
            cursor, "memory_model_performance"
        )
        constraints = connection.introspection.get_constraints(cursor, "memory_model_performance")

    assert set(columns) <= {column.name for column in description}
    assert {name for name, _ in indexes} <= {n for n, c in constraints.items() if c["index"]}


def test_the_sidebar_has_the_seeds_tab_and_it_leads_to_the_models(people: People) -> None:
    tab = dict(re.findall(r"(\w+): '(.+?)'", seed_blocks.block("Models Tab in Sidebar").text))

    with urllib.request.urlopen(f"{people.running.url}/", timeout=30) as page:
        html = page.read().decode()

    assert page.url.endswith("/models/")
    assert f'<a id="{tab["id"]}" href="/models/"' in html
    assert re.search(rf"{tab['icon']}</span>\s*{tab['label']}</a>", html)


def test_the_seeds_test_command_passes_its_six_cases() -> None:
    place = Path(sys.executable).parent

    done = subprocess.run(
        ["sh", "-e", "-c", seed_blocks.block("Run Unit Tests").text],
        cwd=ROOT,
        env=os.environ | {"PATH": f"{place}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "= 6 passed in " in done.stdout, done.stdout + done.stderr


def reported(version: ModelVersion, operator: APIClient, figures: dict[str, float]) -> dict:
    """What the rollback check says after one snapshot with these figures."""
    snapshot = {"timestamp": datetime.now(UTC).isoformat(), "num_requests": 1000, **figures}
    path = f"/api/model-registry/models/{version.model_id}"
    kept = operator.post(f"{path}/performance", snapshot, format="json")
    assert kept.status_code == 201, kept.content
    found: dict = operator.get(f"{path}/rollback-check").json()
    return found
