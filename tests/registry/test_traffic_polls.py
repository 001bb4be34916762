"""Polling the traffic document: no SQL, never an older revision, and all goes on without the broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from registry import broker, clock, lifecycle, passes, published, routing, tokens
from registry.models import ApiToken, DeploymentStage, ModelVersion, TrafficPlan
from registry.published import Held
from tests.conftest import take

Caller = Callable[..., APIClient]
Maker = Callable[..., ModelVersion]
API = "/api/model-registry"
NAME = "Fraud Detector"
TRAFFIC = f"{API}/families/Fraud%20Detector/traffic"

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def broker_away(settings: Any) -> Iterator[Callable[[], None]]:
    """Call it, and the broker does not answer from then on."""
    address = settings.ASSAY_REDIS_URL

    def leave() -> None:
        broker.forget_client()
        settings.ASSAY_REDIS_URL = "redis://127.0.0.1:1"

    yield leave
    settings.ASSAY_REDIS_URL = address
    broker.forget_client()


def flush() -> None:
    broker.client().delete(f"assay:traffic:{NAME}")


def revision(answer: Any) -> int:
    return int(answer["ETag"].strip('"').split("-")[1])


def asked_of_database(client: APIClient, **headers: str) -> tuple[int, list[str]]:
    """The status of a poll, and the SQL it took."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(TRAFFIC, headers=headers)
    return answer.status_code, [query["sql"] for query in queries.captured_queries]


def test_a_poll_asks_the_database_nothing(api: Caller, make_version: Maker) -> None:
    make_version("production")
    client = api("serving")
    etag = client.get(TRAFFIC)["ETag"]  # writes the pass

    assert asked_of_database(client) == (200, [])
    assert asked_of_database(client, **{"If-None-Match": etag}) == (304, [])


def test_both_places_say_the_same(
    api: Caller, make_version: Maker, broker_away: Callable[[], None]
) -> None:
    make_version("production")
    client = api("serving")

    by_broker = client.get(TRAFFIC)
    assert published.read(NAME) is not None
    broker_away()
    by_database = client.get(TRAFFIC)

    assert by_broker.content == by_database.content
    assert by_broker["ETag"] == by_database["ETag"]
    assert by_broker["Content-Type"] == by_database["Content-Type"]
    assert client.get(TRAFFIC, headers={"If-None-Match": by_broker["ETag"]}).status_code == 304


def test_a_change_of_stage_is_polled_at_once(api: Caller, make_version: Maker) -> None:
    version = make_version("canary")
    client = api("serving")
    before = client.get(TRAFFIC)

    take(version, "rollback")
    after = client.get(TRAFFIC, headers={"If-None-Match": before["ETag"]})

    assert [len(answer.json()["targets"]) for answer in (before, after)] == [1, 0]
    assert asked_of_database(client) == (200, [])


def test_what_is_not_committed_is_polled_by_nobody(api: Caller, make_version: Maker) -> None:
    version = make_version("canary")
    client = api("serving")
    before = client.get(TRAFFIC)

    with transaction.atomic():
        take(version, "rollback")
        inside = client.get(TRAFFIC)
        transaction.set_rollback(True)

    assert inside.json()["targets"] == []  # whoever made the change sees it
    assert client.get(TRAFFIC).content == before.content


def test_of_two_changes_in_one_transaction_only_the_last_is_published(
    make_version: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_version("production")
    successor = make_version("canary")
    put: list[bytes] = []
    monkeypatch.setattr(published, "announce", lambda family, held: put.append(held.body))

    take(successor, "production")  # archives the former one first

    assert put
    assert all(successor.model_id.encode() in body for body in put)


def test_an_emptied_broker_is_filled_by_the_next_poll_or_the_next_sweep(
    api: Caller, make_version: Maker
) -> None:
    make_version("production")
    client = api("serving")
    client.get(TRAFFIC)

    flush()
    assert len(asked_of_database(client)[1]) == 1
    assert asked_of_database(client) == (200, [])
    flush()
    routing.republish()

    assert asked_of_database(client) == (200, [])


def test_a_missed_write_is_made_up_for(api: Caller, make_version: Maker) -> None:
    version = make_version("canary")
    missed = published.read(NAME)
    assert missed is not None
    take(version, "rollback")
    flush()
    published.put(NAME, missed)  # as if the write after the commit had been lost
    client = api("serving")
    assert revision(client.get(TRAFFIC)) == missed.revision

    routing.republish()

    assert revision(client.get(TRAFFIC)) == TrafficPlan.objects.get().revision


def test_who_knows_a_newer_document_gets_no_older_one(api: Caller, make_version: Maker) -> None:
    version = make_version("canary")
    behind = published.read(NAME)
    assert behind is not None
    take(version, "rollback")
    plan = TrafficPlan.objects.get()
    flush()
    published.put(NAME, behind)
    client = api("serving")

    answer = client.get(TRAFFIC, headers={"If-None-Match": f'"{plan.pk}-{plan.revision}"'})

    assert answer.status_code == 304
    assert asked_of_database(client) == (200, [])  # and the broker has been told
    assert revision(client.get(TRAFFIC)) == plan.revision


def test_a_document_never_takes_the_place_of_a_newer_one() -> None:
    for plan, number in [(1, 5), (1, 4), (1, 6), (1, 5), (2, 1), (1, 9)]:
        published.put(NAME, Held(plan, number, f"{plan}/{number}".encode()))

    assert published.read(NAME) == Held(2, 1, b"2/1")


def test_documents_nobody_renews_are_forgotten(make_version: Maker) -> None:
    make_version("production")

    left = broker.client().pttl(f"assay:traffic:{NAME}")

    assert 0 < left <= published.LASTS


@pytest.mark.parametrize(
    ("tells_what_it_has", "emptied"),
    [(True, True), (False, False)],
    ids=["a broker that is emptied again and again", "pollers that send no tag"],
)
def test_for_a_poller_no_revision_follows_a_later_one(
    api: Caller, make_version: Maker, tells_what_it_has: bool, emptied: bool
) -> None:
    version = make_version("canary", share=50)
    attestation = lifecycle.standing_attestation(version, DeploymentStage.CANARY)
    pollers = [api("serving", username=f"job-{number}") for number in range(2)]
    done = threading.Event()
    first = [client.get(TRAFFIC).status_code for client in pollers]

    def change(share: int) -> None:
        try:
            lifecycle.move(
                version,
                to=DeploymentStage.CANARY,
                actor="user:1",
                attestation=attestation,
                canary_percentage=Decimal(share),
            )
        finally:
            connection.close()

    def poll(client: APIClient) -> list[int]:
        had, revisions = "", []
        while not done.is_set():
            headers = {"If-None-Match": had} if tells_what_it_has and had else {}
            answer = client.get(TRAFFIC, headers=headers)
            had = answer["ETag"]
            revisions.append(revision(answer))
        connection.close()
        return revisions

    def empty() -> None:
        while emptied and not done.wait(0.005):
            flush()

    with ThreadPoolExecutor(3) as others, ThreadPoolExecutor(3) as writers:
        emptying, polling = others.submit(empty), [others.submit(poll, each) for each in pollers]
        list(writers.map(change, range(40, 28, -1)))
        done.set()
    emptying.result()

    assert first == [200, 200]
    for revisions in (each.result() for each in polling):
        assert all(later >= earlier for earlier, later in pairwise(revisions))
        assert len(set(revisions)) > 1
    assert revision(pollers[0].get(TRAFFIC)) == TrafficPlan.objects.get().revision


def test_polls_go_on_without_the_broker(
    api: Caller, make_version: Maker, broker_away: Callable[[], None]
) -> None:
    version = make_version("canary")
    client = api("serving")
    first = client.get(TRAFFIC)
    broker_away()

    take(version, "rollback")
    routing.republish()  # beat's sweep fails quietly
    after = client.get(TRAFFIC, headers={"If-None-Match": first["ETag"]})

    assert after.status_code == 200
    assert after.json()["targets"] == []


def test_a_process_that_rests_from_the_broker_still_tells_it_of_a_change(
    api: Caller, make_version: Maker
) -> None:
    version = make_version("canary")
    client = api("serving")
    client.get(TRAFFIC)
    broker._resting["until"] = time.monotonic() + 60
    take(version, "rollback")
    tokens.revoke(ApiToken.objects.get(), now=clock.now())
    broker._resting["until"] = 0.0

    held = published.read(NAME)

    assert held is not None
    assert held.revision == TrafficPlan.objects.get().revision
    assert client.get(TRAFFIC).status_code == 401


def test_a_revoked_token_polls_no_more(api: Caller, make_version: Maker) -> None:
    make_version("production")
    client = api("serving")
    assert client.get(TRAFFIC).status_code == 200

    tokens.revoke(ApiToken.objects.get(), now=clock.now())

    assert client.get(TRAFFIC).status_code == 401


def test_a_pass_that_is_written_too_late_opens_nothing() -> None:
    text = tokens.issue("job", role="operator")
    read_before = tokens.find(text, now=clock.now())
    assert read_before is not None

    tokens.revoke(ApiToken.objects.get(), now=clock.now())
    passes.remember(read_before)

    assert tokens.find_for_poll(text, now=clock.now()) is None


def test_a_pass_ends_with_its_token() -> None:
    now = datetime.now(UTC)
    text = tokens.issue("job", role="operator", expires_at=now + timedelta(seconds=2))
    assert tokens.find_for_poll(text, now=now) is not None

    late = passes.recall(tokens.digest_of(text), now=now + timedelta(seconds=2))

    assert late is None


def test_a_pass_lasts_seconds() -> None:
    text = tokens.issue("job", role="operator")
    tokens.find_for_poll(text, now=clock.now())

    left = broker.client().pttl(f"assay:pass:{tokens.digest_of(text)}")

    assert 0 < left <= 5_000


def test_a_pass_opens_polls_and_nothing_else(make_version: Maker) -> None:
    make_version("production")
    forged = ApiToken(
        pk=1, user=User(pk=1, username="x"), digest=tokens.digest_of("x"), scopes=[tokens.READ]
    )
    passes.remember(forged)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer x")

    opened = [client.get(f"{API}/{path}").status_code for path in ("models", "families", "stats")]

    assert client.get(TRAFFIC).status_code == 200  # whoever can write there can do more than read
    assert opened == [401, 401, 401]


def test_a_pass_has_the_scopes_of_its_token(make_version: Maker) -> None:
    make_version("production")
    text = tokens.issue("job", role="operator")
    ApiToken.objects.update(scopes=[tokens.PERFORMANCE_WRITE])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")

    assert [client.get(TRAFFIC).status_code for _ in range(2)] == [403, 403]
