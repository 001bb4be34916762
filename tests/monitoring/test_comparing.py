"""Worse than production: known answers worked out by hand, and what they mean in the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from monitoring import comparisons
from monitoring.comparing import Comparison
from monitoring.weighing import Sums
from registry import clock
from registry.models import ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import enter, report, report_every

Maker = Callable[..., ModelVersion]


def rows(requests: int, errors: float, count: int = 3) -> Sums:
    """So many requests and errors, spread evenly over rows: φ is 1 from three rows on."""
    rate = errors / requests if requests else 0.0
    return Sums(count, requests, errors, errors * rate)


@pytest.mark.parametrize(
    ("canary", "production", "nats"),
    [
        # 20 of 20 errors by half of the requests: 20 · ln 2.
        pytest.param((500, 20), (500, 0), 13.862944, id="all of them"),
        # 30 of 120 by a tenth: 120 · (¼ ln 2.5 + ¾ ln (¾ / .9)).
        pytest.param((1000, 30), (9000, 90), 11.079782, id="three times as often, not sure"),
        # 40 of 130 by a tenth: 40 ln (.307692 / .1) + 90 ln (.692308 / .9).
        pytest.param((1000, 40), (9000, 90), 21.344420, id="four times as often"),
        pytest.param((1000, 10), (9000, 90), 0.0, id="alike"),
        pytest.param((1000, 5), (9000, 90), 0.0, id="better"),
        pytest.param((1000, 0), (9000, 0), 0.0, id="no errors"),
        pytest.param((1000, 500), (0, 0), 0.0, id="production reports nothing"),
        pytest.param((0, 0), (9000, 90), 0.0, id="the canary reports nothing"),
    ],
)
def test_known_answers(
    canary: tuple[int, float], production: tuple[int, float], nats: float
) -> None:
    found = Comparison(rows(*canary), rows(*production))

    assert found.nats == pytest.approx(nats, abs=1e-5)
    assert found.is_worse == (nats >= 12)


def test_bursts_take_evidence_away() -> None:
    # Two rows are taken as 1.5 times as bursty as independent requests.
    assert Comparison(rows(500, 20, count=2), rows(500, 0)).nats == pytest.approx(13.862944 / 1.5)


@given(
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_more_errors_of_the_canary_are_never_less_evidence(
    canary: int, production: int, rate: float, one: float, other: float
) -> None:
    fewer, more = sorted((canary * one, canary * other))
    beside = rows(production, production * rate)

    weak, strong = (Comparison(rows(canary, errors), beside).nats for errors in (fewer, more))

    assert 0 <= weak <= strong + 1e-6


@pytest.fixture
def pair(make_version: Maker) -> tuple[ModelVersion, ModelVersion]:
    """A canary that has been one for an hour, and production."""
    return enter(make_version("canary")), enter(make_version("production"))


@pytest.mark.django_db
def test_only_the_same_time_is_compared(pair: tuple[ModelVersion, ModelVersion]) -> None:
    canary, production = pair
    report_every(canary, range(0, 60, 10), error_rate=0.04)
    report_every(production, range(0, 60, 10), error_rate=0.01)
    report(production, at=NOW - timedelta(minutes=20), error_rate=0.5)

    found = comparisons.of_window(canary, now=NOW)

    assert found is not None
    assert (found.canary.requests, found.production.requests) == (6000, 6000)
    assert found.is_worse
    assert found.reason == (
        "error rate 4 % over 6,000 requests, production's 1 % over 6,000 (57.8 nats)"
    )


@pytest.mark.django_db
def test_production_and_a_lonely_canary_are_beside_nothing(make_version: Maker) -> None:
    lonely, production = make_version("canary"), make_version("production", name="Another")

    assert comparisons.of_window(lonely, now=NOW) is None
    assert comparisons.of_window(production, now=NOW) is None


@pytest.mark.django_db
def test_the_check_shows_it(
    pair: tuple[ModelVersion, ModelVersion], api: Callable[..., APIClient]
) -> None:
    canary, production = pair
    report_every(canary, range(0, 60, 10), error_rate=0.04)
    report_every(production, range(0, 60, 10), error_rate=0.01)

    reader = api("operator")
    with clock.telling(lambda: NOW):
        answers: list[Any] = [
            reader.get(f"/api/model-registry/models/{v.model_id}/rollback-check").json()
            for v in pair
        ]

    assert answers[0]["verdict"] == "ok"
    assert answers[0]["against_production"] == {
        "requests": 6000,
        "error_rate": pytest.approx(0.04),
        "production_requests": 6000,
        "production_error_rate": pytest.approx(0.01),
        "evidence_nats": pytest.approx(57.8, abs=0.1),
        "worse": True,
    }
    assert answers[1]["against_production"] is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("errs", "production_errs", "said"),
    [
        (0.04, 0.01, ["worse beyond doubt", "production&#x27;s 1 % over 6,000 (57.8 nats)"]),
        (0.01, 0.01, ["not worse beyond doubt", "production&#x27;s 1 % over 6,000 (0.0 nats)"]),
        (0.01, None, ["nothing can be said, production has not reported its errors"]),
        (None, 0.01, ["nothing can be said, it has not reported its errors"]),
    ],
)
def test_the_page_of_a_canary_shows_it(
    pair: tuple[ModelVersion, ModelVersion],
    client: Client,
    user_with: Callable[..., User],
    errs: float | None,
    production_errs: float | None,
    said: list[str],
) -> None:
    canary, production = pair
    report_every(canary, range(0, 60, 10), error_rate=errs)
    report_every(production, range(0, 60, 10), error_rate=production_errs)
    client.force_login(user_with("operator"))

    with clock.telling(lambda: NOW):
        pages = [client.get(f"/models/{v.model_id}/").content.decode() for v in pair]

    assert "Beside production" in pages[0]
    assert [words for words in said if words not in pages[0]] == []
    assert ("not worse" in pages[0]) is (said[0].startswith("not worse"))
    assert "Beside production" not in pages[1]
