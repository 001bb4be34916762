"""Too many requests are told when to come back; a broker that is away throttles nobody."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from config import env
from registry import broker, rates

Caller = Callable[..., APIClient]
MODELS = "/api/model-registry/models"


@pytest.fixture
def address() -> str:
    """An address that no other test comes from."""
    number = uuid4().int
    return f"10.{number % 256}.{number // 256 % 256}.{number // 65536 % 256}"


@pytest.fixture
def broker_away(settings: Any) -> Iterator[None]:
    broker.forget_client()
    settings.ASSAY_REDIS_URL = "redis://127.0.0.1:1"
    yield
    broker.forget_client()


@pytest.mark.django_db
def test_one_token_too_often_is_told_when_to_come_back(api: Caller, settings: Any) -> None:
    settings.ASSAY_THROTTLE_REQUESTS = (2, 60)
    client, other = api("trainer", username="tom"), api("trainer", username="tina")

    answers = [client.get(MODELS) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2]["Content-Type"] == "application/problem+json"
    assert answers[2].json()["type"] == "/problems/throttled"
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert other.get(MODELS).status_code == 200


@pytest.mark.django_db
def test_after_the_window_all_is_well_again(api: Caller, settings: Any) -> None:
    settings.ASSAY_THROTTLE_REQUESTS = (1, 1)
    client = api("trainer")
    assert [client.get(MODELS).status_code for _ in range(2)] == [200, 429]

    time.sleep(1.1)

    assert client.get(MODELS).status_code == 200


@pytest.mark.django_db
def test_an_address_that_keeps_guessing_is_slowed_and_nobody_else(
    api: Caller, settings: Any, address: str
) -> None:
    settings.ASSAY_THROTTLE_REFUSED = (2, 60)
    guess: dict[str, Any] = {"HTTP_AUTHORIZATION": "Bearer assay_no", "REMOTE_ADDR": address}

    wrong = [APIClient().get(MODELS, **guess) for _ in range(3)]
    without = APIClient().get(MODELS, REMOTE_ADDR=address)

    assert [answer.status_code for answer in (*wrong, without)] == [401, 401, 429, 429]
    assert 1 <= int(without["Retry-After"]) <= 60
    assert api("trainer").get(MODELS, REMOTE_ADDR=address).status_code == 200
    assert APIClient().get(MODELS, REMOTE_ADDR="10.0.0.1").status_code == 401


@pytest.mark.usefixtures("django_db_setup")
def test_rivals_share_one_count() -> None:
    who = f"test:{uuid4()}"

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: rates.excess(who, (20, 60)), range(50)))

    assert waits.count(None) == 20


@pytest.mark.django_db
@pytest.mark.usefixtures("broker_away")
def test_without_the_broker_nobody_is_throttled(api: Caller, settings: Any) -> None:
    settings.ASSAY_THROTTLE_REQUESTS = (1, 60)
    client = api("trainer")

    began = time.monotonic()
    statuses = {client.get(MODELS).status_code for _ in range(20)}

    assert statuses == {200}
    assert time.monotonic() - began < 5  # it is asked once, not at every request


def test_none_is_no_limit() -> None:
    assert rates.excess("anybody", (0, 0)) is None


@pytest.mark.parametrize(("text", "rate"), [("", (300, 60)), ("5/1", (5, 1)), ("0", (0, 0))])
def test_a_rate_is_read(monkeypatch: Any, text: str, rate: tuple[int, int]) -> None:
    monkeypatch.setenv("ASSAY_SOME_RATE", text)

    assert env.rate("ASSAY_SOME_RATE", "300/60") == rate


@pytest.mark.parametrize("text", ["many", "5", "5/0", "5/", "-1/60", "5/m"])
def test_a_rate_that_is_none_is_refused(monkeypatch: Any, text: str) -> None:
    monkeypatch.setenv("ASSAY_SOME_RATE", text)

    with pytest.raises(ValueError, match="ASSAY_SOME_RATE"):
        env.rate("ASSAY_SOME_RATE", "300/60")
