"""A router follows the registry within a poll, and stays on its feet without it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from assay import AssayError, NotFound, Registry, Router, Unavailable
from assay.over_http import HttpTransport
from assay.session import Session
from tests.client.edge import Answer, Asked, Edge
from tests.client.test_routing import document

POLL = 0.02  # seconds
CANARY = document(v2=[[0, 1000]], v1=[[1000, 10_000]])
ALL_ON_V1 = {**document(v1=[[0, 10_000]]), "revision": 8}


class Desired:
    """The traffic document as the registry serves it: by ETag."""

    def __init__(self, edge: Edge) -> None:
        self.document: object = CANARY
        self.status = 200
        edge.answer("GET", "families/fraud_detector/traffic", self.answer)

    def answer(self, asked: Asked) -> Answer:
        if self.status != 200:
            return Answer({"title": "Not now"}, self.status)
        etag = f'"{hash(str(self.document))}"'
        if asked.headers.get("if-none-match") == etag:
            return Answer(b"", 304, {"ETag": etag})
        return Answer(self.document, 200, {"ETag": etag})


@pytest.fixture
def desired(edge: Edge) -> Desired:
    return Desired(edge)


@pytest.fixture
def router(desired: Desired, registry: Registry) -> Iterator[Router]:
    with Router("fraud_detector", registry=registry, poll_seconds=POLL) as running:
        yield running


def eventually(holds: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
    return holds()


def answered_by(router: Router, key: str) -> str | None:
    target = router.route(key)
    return None if target is None else target.model_id


def test_a_router_routes_as_soon_as_it_is_made(router: Router) -> None:
    assert answered_by(router, "user-2") == "v2"
    assert answered_by(router, "user-1") == "v1"
    assert [target.model_id for target in router.targets] == ["v2", "v1"]


def test_a_rollback_reaches_the_router_within_a_poll(router: Router, desired: Desired) -> None:
    desired.document = ALL_ON_V1

    assert eventually(lambda: router.revision == 8)
    assert answered_by(router, "user-2") == "v1"


def test_a_document_that_did_not_change_is_not_sent_again(
    router: Router, desired: Desired, edge: Edge
) -> None:
    assert eventually(lambda: len(edge.asked) >= 4)

    assert "if-none-match" not in edge.asked[0].headers
    assert all("if-none-match" in asked.headers for asked in edge.asked[1:])
    assert edge.connections == 1


@pytest.mark.parametrize(
    "status", [401, 404, 500, 503], ids=["token", "gone", "broken", "unavailable"]
)
def test_while_the_registry_refuses_the_last_document_stays(
    router: Router, desired: Desired, status: int
) -> None:
    desired.status = status

    assert eventually(lambda: router.problem is not None)
    assert answered_by(router, "user-2") == "v2"

    desired.status, desired.document = 200, ALL_ON_V1
    assert eventually(lambda: router.revision == 8)
    assert router.problem is None


def test_while_the_registry_is_down_the_last_document_stays(
    router: Router, desired: Desired, edge: Edge
) -> None:
    edge.stop()
    assert eventually(lambda: router.problem is not None)
    assert answered_by(router, "user-2") == "v2"
    assert router.age_seconds > 0

    desired.document = ALL_ON_V1
    edge.restart()
    assert eventually(lambda: answered_by(router, "user-2") == "v1")


def test_an_absurd_document_changes_nothing(router: Router, desired: Desired) -> None:
    desired.document = {**document(v1=[[0, 10]], v2=[[5, 10_000]]), "revision": 9}

    assert eventually(lambda: router.problem is not None)
    assert router.revision == 7
    assert answered_by(router, "user-2") == "v2"


def test_a_long_outage_is_said_once_in_the_log(
    router: Router, desired: Desired, edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    desired.status = 401
    asked = len(edge.asked)

    assert eventually(lambda: len(edge.asked) > asked + 4)

    said = [record.getMessage() for record in caplog.records if record.name == "assay.router"]
    assert said == ["The traffic of fraud_detector stays as it was: Not now"]


def test_without_registry_and_without_a_kept_document_a_router_does_not_start(
    edge: Edge, registry: Registry, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        Router("unknown", registry=registry)
    edge.stop()
    with pytest.raises(Unavailable):
        Router("unknown", registry=hasty(edge), keep_in=tmp_path / "kept.json")
    edge.restart()


def test_a_kept_document_is_enough_to_start_from(
    edge: Edge, desired: Desired, registry: Registry, tmp_path: Path
) -> None:
    kept = tmp_path / "traffic.json"
    with Router("fraud_detector", registry=registry, keep_in=kept):
        pass
    desired.status = 503

    with Router("fraud_detector", registry=registry, poll_seconds=POLL, keep_in=kept) as router:
        assert answered_by(router, "user-2") == "v2"
        assert router.age_seconds == float("inf")
        assert isinstance(router.problem, Unavailable)

        desired.status, desired.document = 200, ALL_ON_V1
        assert eventually(lambda: router.revision == 8)

    assert b'"revision": 8' in kept.read_bytes()
    assert list(tmp_path.iterdir()) == [kept]


def test_a_kept_document_that_is_broken_is_no_document(
    desired: Desired, registry: Registry, tmp_path: Path
) -> None:
    kept = tmp_path / "traffic.json"
    kept.write_text('{"family": "fraud_det')
    desired.status = 401

    with pytest.raises(AssayError):
        Router("fraud_detector", registry=registry, keep_in=kept)


def test_a_disk_without_room_does_not_stop_routing_and_is_tried_again(
    desired: Desired, registry: Registry, tmp_path: Path
) -> None:
    kept = tmp_path / "sub" / "traffic.json"
    kept.parent.mkdir()
    with Router("fraud_detector", registry=registry, poll_seconds=POLL, keep_in=kept) as router:
        kept.unlink()
        kept.parent.rmdir()
        desired.document = ALL_ON_V1
        assert eventually(lambda: isinstance(router.problem, OSError))
        assert answered_by(router, "user-2") == "v1"

        kept.parent.mkdir()
        assert eventually(kept.exists)
        assert eventually(lambda: router.problem is None)


def test_a_closed_router_asks_no_more_and_still_routes(
    desired: Desired, registry: Registry, edge: Edge
) -> None:
    with Router("fraud_detector", registry=registry, poll_seconds=POLL) as router:
        pass
    asked = len(edge.asked)
    time.sleep(5 * POLL)

    assert len(edge.asked) == asked
    assert answered_by(router, "user-2") == "v2"
    assert not [t for t in threading.enumerate() if t.name.startswith("assay-router")]


def test_a_forked_process_follows_the_registry_too(router: Router, desired: Desired) -> None:
    child = os.fork()
    if child == 0:
        first = answered_by(router, "user-2")
        followed = eventually(lambda: answered_by(router, "user-2") == "v1")
        os._exit(0 if first == "v2" and followed else 1)
    time.sleep(5 * POLL)
    desired.document = ALL_ON_V1

    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_threads_see_whole_documents_only(router: Router, desired: Desired) -> None:
    seen: set[str | None] = set()
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            seen.add(answered_by(router, "user-2"))
            time.sleep(0)

    threads = [threading.Thread(target=serve) for _ in range(3)]
    for thread in threads:
        thread.start()
    for revision in range(100, 106):
        desired.document = {**(CANARY if revision % 2 else ALL_ON_V1), "revision": revision}
        assert eventually(partial(_is_at, router, revision))
    stop.set()
    for thread in threads:
        thread.join()

    assert seen == {"v1", "v2"}


def test_a_router_may_be_made_under_a_running_loop(desired: Desired, registry: Registry) -> None:
    async def serve() -> str | None:
        with Router("fraud_detector", registry=registry, poll_seconds=POLL) as router:
            return answered_by(router, "user-2")

    assert asyncio.run(serve()) == "v2"


def _is_at(router: Router, revision: int) -> bool:
    return router.revision == revision


def hasty(edge: Edge) -> Registry:
    return Registry(Session(HttpTransport(edge.url, timeout=0.2)))
