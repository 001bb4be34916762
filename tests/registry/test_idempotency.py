"""A POST sent again under the same Idempotency-Key is done once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import URLResolver, get_resolver
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rest_framework.test import APIClient

from registry import tokens
from registry.api import idempotency
from registry.models import Event, KeptAnswer, ModelVersion
from tests.registry.test_api import API, SEED_ENTRY

Caller = Callable[..., APIClient]


def register(client: APIClient, key: str = "k-1", **changes: Any) -> Any:
    body = SEED_ENTRY | changes
    return client.post(f"{API}/models", body, format="json", HTTP_IDEMPOTENCY_KEY=key)


@pytest.mark.django_db
def test_a_repeat_gets_the_first_answer_and_does_nothing(api: Caller) -> None:
    client = api("trainer")
    first = register(client)
    events = Event.objects.count()

    again = register(client)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Event.objects.count() == events


@pytest.mark.django_db
def test_another_body_under_the_same_key_is_refused(api: Caller) -> None:
    client = api("trainer")
    register(client)

    answer = register(client, model_id="another")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/Idempotency-Key"
    assert not ModelVersion.objects.filter(model_id="another").exists()


@pytest.mark.django_db
def test_another_caller_s_key_is_another_key(api: Caller) -> None:
    register(api("trainer", username="tom"))

    answer = register(api("trainer", username="tina"))

    assert answer.status_code == 409


@pytest.mark.django_db
def test_a_refusal_is_not_kept(api: Caller) -> None:
    client = api("trainer")

    refused = register(client, training_dataset_size=-1)
    taken = register(client)

    assert (refused.status_code, taken.status_code) == (400, 201)


@pytest.mark.django_db
def test_after_a_day_a_key_is_new_again(api: Caller) -> None:
    client = api("trainer")
    register(client)
    KeptAnswer.objects.update(kept_at=timezone.now() - timedelta(hours=24))

    assert register(client).status_code == 409


@pytest.mark.django_db
def test_expired_answers_are_forgotten(api: Caller) -> None:
    register(api("trainer"))
    KeptAnswer.objects.update(kept_at=timezone.now() - timedelta(hours=25))

    assert idempotency.forget_expired() == 1


@pytest.mark.django_db
def test_an_answer_sealed_under_another_key_is_not_done_again(api: Caller, settings: Any) -> None:
    client = api("trainer")
    register(client)
    settings.SECRET_KEY = "another"

    again = register(client)

    assert again.status_code == 409
    assert "sealed under another ASSAY_SECRET_KEY" in again.json()["detail"]
    assert ModelVersion.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_1_to_255_characters(api: Caller, key: str) -> None:
    assert register(api("trainer"), key).status_code == 400


@pytest.mark.usefixtures("committed")
def test_rivals_with_one_key_register_once() -> None:
    token = tokens.issue("tom", role="trainer")

    def attempt(_: int) -> int:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        try:
            return int(register(client).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(attempt, range(8)))

    assert statuses == [201] * 8
    assert ModelVersion.objects.count() == 1


def posts() -> set[tuple[str, bool]]:
    """Every POST of the API, and whether it may be repeated under a key."""

    def walk(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            path = f"{prefix}{pattern.pattern}"
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            elif hasattr(pattern.callback, "cls"):
                yield path, getattr(pattern.callback.cls, "post", None)

    views = walk(get_resolver().url_patterns)
    return {(path, hasattr(post, "idempotent")) for path, post in views if post is not None}


def test_every_post_takes_a_key() -> None:
    found = posts()

    assert len(found) >= 10
    assert {path for path, idempotent in found if not idempotent} == set()


REQUESTS = st.tuples(st.sampled_from("ab"), st.integers(0, 2))  # key, and which model


@pytest.mark.usefixtures("committed")
@given(requests=st.lists(REQUESTS, min_size=1, max_size=8))
@examples(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_repeated_each_key_means_one_request(requests: list[tuple[str, int]]) -> None:
    run = uuid4().hex  # keys and models of this example alone
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue('tom', role='trainer')}")
    meant: dict[str, int] = {}
    made: set[int] = set()

    for key, model in requests:
        fields = {"model_id": f"m{model}-{run}", "name": run, "version": str(model)}
        answer = register(client, f"{key}-{run}", **fields)

        if key in meant:
            assert answer.status_code == (201 if meant[key] == model else 422)
        elif model in made:
            assert answer.status_code == 409
        else:
            assert answer.status_code == 201
            meant[key] = model
            made.add(model)
    assert ModelVersion.objects.filter(family__name=run).count() == len(made)
