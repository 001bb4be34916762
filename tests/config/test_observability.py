"""Metrics, request ids and log lines, in this process."""

from __future__ import annotations

import json
import logging
import logging.config
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from config import env, metrics
from config.request_ids import RequestIdFilter, request_id
from monitoring import rollbacks

MODELS = "/api/model-registry/models"
MINE = "snapshot-batch-0042"
PAGE = Path(settings.BASE_DIR) / "docs/observability.md"
Api = Callable[..., APIClient]


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the access log says, as the JSON format writes it."""
    kept: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(self.format(record))

    handler = Keeping()
    handler.addFilter(RequestIdFilter())
    shapes: Any = settings.LOGGING["formatters"]
    configurator: Any = logging.config.DictConfigurator(settings.LOGGING)
    handler.setFormatter(configurator.configure_formatter(dict(shapes["json"])))
    logger = logging.getLogger("assay.access")
    logger.addHandler(handler)
    yield kept
    logger.removeHandler(handler)


def samples(**headers: Any) -> dict[str, dict[tuple[str, ...], float]]:
    answer = Client().get("/metrics", headers=headers)
    assert answer.status_code == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.mark.django_db
def test_a_sane_request_id_is_kept(api: Api) -> None:
    answer = api("trainer").get(MODELS, headers={"x-request-id": MINE})

    assert answer["X-Request-ID"] == MINE
    assert request_id.get() is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given", ["", "short", "x" * 129, "two words", "line\u2028line", "a/b/c/d/e"]
)
def test_any_other_is_replaced(given: str) -> None:
    answer = Client().get(MODELS, headers={"x-request-id": given} if given else {})

    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])


@pytest.mark.django_db
def test_a_problem_names_its_request(api: Api) -> None:
    answer = api("trainer").get(f"{MODELS}/nobody", headers={"x-request-id": MINE})

    assert (answer.status_code, answer.json()["request_id"]) == (404, MINE)


@pytest.mark.django_db
def test_a_request_is_one_line_without_secrets(api: Api, lines: list[str]) -> None:
    client = api("trainer")

    client.post(
        f"{MODELS}?q=hush", {"owner": "hush"}, format="json", headers={"x-request-id": MINE}
    )

    (line,) = lines
    said = json.loads(line)
    assert (
        said.items()
        >= {
            "level": "INFO",
            "logger": "assay.access",
            "request_id": MINE,
            "method": "POST",
            "route": "api/model-registry/models",
            "status": 400,
        }.items()
    )
    assert re.fullmatch(r"user:\d+", said["user"])
    assert said["duration_ms"] > 0
    assert "hush" not in line
    assert "assay_" not in line


@pytest.mark.django_db
def test_a_log_line_outside_requests_has_no_id() -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, "x", None, None)

    assert RequestIdFilter().filter(record)
    assert vars(record)["request_id"] == "-"


def test_a_log_format_is_one_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_LOG_FORMAT", "xml")

    with pytest.raises(ValueError, match="ASSAY_LOG_FORMAT is plain or json, not 'xml'"):
        env.log_format()


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_not_by_model(
    api: Api, make_version: Callable[..., Any]
) -> None:
    version = make_version()
    label = ("GET", "api/model-registry/models/<str:model_id>", "200")
    before = samples()["assay_http_requests_total"].get(label, 0)

    api("trainer").get(f"{MODELS}/{version.model_id}")

    after = samples()
    assert after["assay_http_requests_total"][label] == before + 1
    assert after["assay_http_request_duration_seconds_count"][label[:2]] >= 1
    assert version.model_id not in metrics.collected().decode()


@pytest.mark.django_db
def test_methods_that_callers_invent_are_one_series() -> None:
    Client().generic("BREW", MODELS)

    methods = {labels[0] for labels in samples()["assay_http_requests_total"]}
    assert "other" in methods
    assert "BREW" not in methods


@pytest.mark.django_db
def test_what_is_open_and_owed_is_shown(make_version: Callable[..., Any]) -> None:
    version = make_version(stage="canary")
    before = samples()
    rollbacks.roll_back(version, actor="user:1", now=timezone.now(), reason="It is slow.")

    after = samples()
    assert after["assay_rollbacks_total"][()] == before["assay_rollbacks_total"][()] + 1
    opened = sum(after["assay_open_incidents"].values()) - sum(
        before["assay_open_incidents"].values()
    )
    assert opened == 1
    assert after["assay_deliveries"][("owed",)] > before["assay_deliveries"][("owed",)]
    assert 0 <= after["assay_oldest_owed_delivery_seconds"][()] < 60


@pytest.mark.django_db
def test_a_scrape_takes_few_queries(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(8):
        metrics.collected()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "forwarded", "token", "status"),
    [
        ("127.0.0.1", "", False, 200),
        ("127.0.0.1", "203.0.113.9", False, 401),
        ("203.0.113.9", "", False, 401),
        ("203.0.113.9", "", True, 200),
    ],
)
def test_metrics_are_for_this_machine_or_a_token(
    api: Api, address: str, forwarded: str, token: bool, status: int
) -> None:
    client = api("operator") if token else Client()
    said = {"x-forwarded-for": forwarded} if forwarded else {}

    assert client.get("/metrics", REMOTE_ADDR=address, headers=said).status_code == status


@pytest.mark.django_db
def test_the_page_lists_every_metric_and_no_other() -> None:
    told = set(re.findall(r"^\| `(assay_\w+)`", PAGE.read_text(), re.MULTILINE))
    shown = {
        family.name if family.type != "counter" else f"{family.name}_total"
        for family in text_string_to_metric_families(metrics.collected().decode())
    }

    assert told == shown
