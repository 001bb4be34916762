"""What holds on the way through the socket: who asks, what is repeated, what is not."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from assay import (
    AssayError,
    Conflict,
    ModelPerformanceSnapshot,
    NotFound,
    Registry,
    Unauthorized,
    Unavailable,
)
from assay.over_http import FIRST_PAUSE, LONGEST_PAUSE, HttpTransport, pauses
from assay.session import Session
from assay.transport import Request
from tests.client.edge import Answer, Asked, Edge, HangUp
from tests.client.makers import ENTRY, STATS, an_entry, at_noon

DOWN = Answer({"type": "/problems/unavailable", "title": "Starting up"}, 503)
STATS_PATH = "/api/model-registry/stats"


def asked_from(url: str, token: str | None = "assay_secret") -> Registry:
    return Registry(Session(HttpTransport(url, token, timeout=2)))


def test_a_call_carries_the_token(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "stats", Answer(STATS))

    registry.stats()

    assert edge.asked[0].headers["authorization"] == "Bearer assay_secret"


def test_a_call_without_a_token_carries_no_credentials(edge: Edge) -> None:
    edge.answer("GET", "stats", Answer(STATS))

    asked_from(edge.url, token=None).stats()

    assert "authorization" not in edge.asked[0].headers


def test_the_token_is_in_no_repr(registry: Registry) -> None:
    assert "assay_secret" not in repr(registry.session.transport)


def test_a_registry_below_a_path_is_asked_below_that_path(edge: Edge) -> None:
    asked_from(f"{edge.url}/mlops/", None).session.transport.exchange(Request("GET", "/x"))

    assert edge.asked[0].path == "/mlops/x"


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://localhost", "http://", "http://me:secret@localhost", ""]
)
def test_what_is_no_address_of_a_registry_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(ValueError, match="ASSAY_URL is http"):
        HttpTransport(url)


def test_calls_share_one_connection(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "stats", Answer(STATS))

    for _ in range(20):
        registry.stats()

    assert edge.connections == 1


def test_threads_never_share_a_connection_at_once_nor_mix_answers_up(
    edge: Edge, registry: Registry
) -> None:
    for number in range(40):
        edge.answer("GET", f"models/m{number}", Answer({**ENTRY, "model_id": f"m{number}"}))

    with ThreadPoolExecutor(8) as pool:
        found = pool.map(registry.get_model, [f"m{number % 40}" for number in range(400)])

    assert [entry.model_id for entry in found] == [f"m{number % 40}" for number in range(400)]
    assert edge.connections <= 16


def test_a_connection_the_server_closed_while_idle_is_not_used_again(
    edge: Edge, registry: Registry
) -> None:
    edge.answer("GET", "stats", Answer(STATS))
    edge.answer("PATCH", "models/m", Answer(ENTRY))
    registry.stats()
    edge.stop()
    edge.restart()

    # A PATCH is not repeated, so it must find the closed connection before it is sent.
    registry.update_model("m", description="new")

    assert [asked.method for asked in edge.asked] == ["GET", "PATCH"]


def test_a_connection_the_server_wants_closed_is_closed(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "stats", Answer(STATS, headers={"Connection": "close"}))

    registry.stats()
    registry.stats()

    assert edge.connections == 2


def test_a_forked_process_opens_its_own_connection(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "stats", Answer(STATS))
    registry.stats()

    child = os.fork()
    if child == 0:
        os._exit(0 if registry.stats().total_models == 3 else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert edge.connections == 2
    assert registry.stats().total_models == 3
    assert edge.connections == 2


def test_a_read_whose_answer_was_lost_is_repeated(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "stats", HangUp(), HangUp(), Answer(STATS))

    assert registry.stats().total_models == 3
    assert len(edge.asked) == 3


def test_a_read_answered_503_is_repeated(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "stats", DOWN, DOWN, Answer(STATS))

    assert registry.stats().total_models == 3


def test_a_registration_is_repeated_under_one_idempotency_key(
    edge: Edge, registry: Registry
) -> None:
    edge.answer("POST", "models", HangUp(), DOWN, Answer(ENTRY, 201))

    registry.register_model(an_entry())
    registry.register_model(an_entry())

    keys = [asked.headers["idempotency-key"] for asked in edge.asked]
    assert keys[0] == keys[1] == keys[2]
    assert keys[2] != keys[3]


def test_snapshots_are_repeated_since_sending_them_twice_changes_nothing(
    edge: Edge, registry: Registry
) -> None:
    answer = Answer({"accepted": 1, "duplicates": 0, "conflicts": []}, 201)
    edge.answer("POST", "models/m/performance", HangUp(), answer)

    receipt = registry.record_performance_snapshot(
        ModelPerformanceSnapshot(model_id="m", timestamp=at_noon(), num_requests=1)
    )

    assert receipt.accepted == 1


@pytest.mark.parametrize("plan", [HangUp(), DOWN], ids=["lost", "503"])
def test_a_move_whose_answer_was_lost_is_not_made_twice(
    edge: Edge, registry: Registry, plan: HangUp | Answer
) -> None:
    edge.answer("PATCH", "models/m/deployment", plan)

    with pytest.raises(Unavailable):
        registry.update_deployment_status("m", "sandbox")

    assert len(edge.asked) == 1


def test_a_move_that_was_never_sent_is_tried_until_the_registry_is_up(edge: Edge) -> None:
    edge.answer("PATCH", "models/m/deployment", Answer({"model_id": "m", "status": "sandbox"}))
    edge.stop()
    late = threading.Timer(0.3, edge.restart)
    late.start()

    move = asked_from(edge.url).update_deployment_status("m", "sandbox")

    late.join()
    assert move.status == "sandbox"
    assert len(edge.asked) == 1


def test_a_refusal_is_not_repeated(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "models/m", Answer({"title": "No such model"}, 404))

    with pytest.raises(NotFound):
        registry.get_model("m")

    assert len(edge.asked) == 1


def test_a_registry_that_is_down_is_named_within_the_time_allowed(edge: Edge) -> None:
    edge.stop()
    transport = HttpTransport(edge.url, timeout=0.4)
    began = time.monotonic()

    with pytest.raises(Unavailable, match=f"127.0.0.1:{edge.port} cannot be reached"):
        Registry(Session(transport)).stats()

    edge.restart()
    assert time.monotonic() - began < 1.5


def test_a_registry_that_stays_at_503_gives_its_own_words(edge: Edge) -> None:
    edge.answer("GET", "stats", DOWN)

    with pytest.raises(Unavailable, match="Starting up") as refusal:
        Registry(Session(HttpTransport(edge.url, timeout=0.3))).stats()

    assert refusal.value.status == 503
    assert len(edge.asked) > 1


def test_a_registry_that_never_answers_is_given_up(edge: Edge) -> None:
    silent = threading.Event()

    def wait(asked: Asked) -> Answer:
        silent.wait(5)
        return Answer()

    edge.answer("GET", "stats", wait)

    with pytest.raises(Unavailable, match="does not answer"):
        Registry(Session(HttpTransport(edge.url, timeout=0.3))).stats()

    silent.set()


def test_an_answer_cut_short_is_not_taken_for_whole(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "stats", Answer(STATS, cut=10), Answer(STATS))

    assert registry.stats().total_models == 3
    assert len(edge.asked) == 2


def test_a_moved_registry_says_what_to_set(edge: Edge, registry: Registry) -> None:
    moved = Answer(b"", 301, {"Location": "https://assay.example/"})
    edge.answer("GET", "stats", moved)

    with pytest.raises(AssayError, match="set ASSAY_URL to https://assay.example/"):
        registry.stats()


def test_a_web_server_that_is_no_registry_is_told_apart(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "stats", Answer(b"<html>Welcome to nginx</html>"), Answer([1]))

    for _ in range(2):
        with pytest.raises(AssayError, match="is ASSAY_URL that of a registry"):
            registry.stats()


def test_every_unsafe_call_says_it_is_json_even_without_a_body(
    edge: Edge, registry: Registry
) -> None:
    edge.answer("POST", "models/m/rollback", Answer({"title": "No"}, 409))

    with pytest.raises(Conflict):
        registry.rollback("m")

    assert edge.asked[0].headers["content-type"] == "application/json"
    assert edge.asked[0].body == b"{}"


def test_a_wrong_token_is_unauthorized(edge: Edge, registry: Registry) -> None:
    edge.answer("GET", "stats", Answer({"title": "Unknown token"}, 401))

    with pytest.raises(Unauthorized, match="Unknown token"):
        registry.stats()


def test_pauses_double_up_to_a_limit_and_differ_between_clients() -> None:
    one, other = list(islice(pauses(), 12)), list(islice(pauses(), 12))

    longest = [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(12)]
    assert all(top / 2 <= pause <= top for pause, top in zip(one, longest, strict=True))
    assert one != other
