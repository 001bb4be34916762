"""Over HTTP the subscriber's own process leases events, calls the handler and settles."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from assay import Conflict, Event, Unavailable, leases
from assay.bus import LONGEST_ERROR, CursorBus
from assay.over_http import HttpTransport
from assay.session import Session
from tests.client.edge import Answer, Asked, Edge, HangUp
from tests.client.handlers import HERE, handled, on_rollback, on_rollback_async

ROOT = Path(__file__).parents[2]
ASKED = {
    "id": 5,
    "event_type": "model.rollback.requested",
    "source": "monitoring",
    "timestamp": "2026-03-01T12:00:00Z",
    "payload": {"model_id": "m", "reasons": ["slow"]},
}


@pytest.fixture(autouse=True)
def nothing_handled() -> None:
    handled.clear()


@pytest.fixture
def bus(edge: Edge) -> CursorBus:
    return CursorBus(Session(HttpTransport(edge.url, "assay_secret", timeout=2)))


class Cursor:
    """The registry's side of one subscription: leases what is owed, notes what is settled."""

    def __init__(self, edge: Edge, name: str, *events: dict[str, Any]) -> None:
        self.owed = list(events)
        self.settled: list[Any] = []
        root = f"subscriptions/{name}"
        edge.answer("PUT", root, Answer({"name": name}))
        edge.answer("POST", f"{root}/lease", self.lease)
        edge.answer("POST", f"{root}/settle", self.settle)

    def lease(self, asked: Asked) -> Answer:
        assert asked.document == {"limit": 10}
        owed = [
            {"delivery_id": n, "token": f"t{n}", "event": event}
            for n, event in enumerate(self.owed)
        ]
        self.owed = []
        return Answer({"deliveries": owed})

    def settle(self, asked: Asked) -> Answer:
        self.settled.append(asked.document)
        return Answer({})

    def is_settled(self, count: int) -> bool:
        return len(self.settled) >= count


@pytest.mark.parametrize("handler", [on_rollback, on_rollback_async])
def test_a_handler_gets_the_event_and_it_is_settled(
    edge: Edge, bus: CursorBus, handler: Callable[[Event], object]
) -> None:
    cursor = Cursor(edge, f"{HERE}.{handler.__name__}", ASKED)

    subscription = bus.subscribe("model.rollback.requested", handler)
    bus.run(until=partial(cursor.is_settled, 1))

    assert subscription.name == f"{HERE}.{handler.__name__}"
    asked = {"event_types": ["model.rollback.requested"]}
    assert [put.document for put in edge.asked if put.method == "PUT"] == [
        asked | {"keep": True},  # what the last run asked for is owed until all is said
        asked | {"keep": False},
    ]
    assert handled[0].payload == {"model_id": "m", "reasons": ["slow"]}
    assert handled[0].timestamp == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (handled[0].id, handled[0].source) == (5, "monitoring")
    assert cursor.settled == [{"delivery_id": 0, "token": "t0"}]


def test_a_handler_that_fails_is_settled_with_its_error_and_the_others_go_on(
    edge: Edge, bus: CursorBus, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    def fragile(event: Event) -> None:
        if event.payload["model_id"] == "m":
            raise ValueError("no such \x1b[31mplaybook" * 1000)
        handled.append(event)

    other = {**ASKED, "payload": {"model_id": "other"}}
    this_test = request.node.name
    name = f"{__name__}.{this_test}.fragile"
    cursor = Cursor(edge, name, ASKED, other)

    bus.subscribe("model.rollback.requested", fragile)
    bus.run(until=partial(cursor.is_settled, 2))

    assert cursor.settled[0]["error"].startswith("ValueError: no such \ufffd[31mplaybook")
    assert len(cursor.settled[0]["error"]) == LONGEST_ERROR
    assert "error" not in cursor.settled[1]
    assert [event.payload["model_id"] for event in handled] == ["other"]
    assert "fragile failed on model.rollback.requested" in caplog.text


def test_an_event_that_cannot_be_settled_does_not_stop_the_bus(edge: Edge, bus: CursorBus) -> None:
    cursor = Cursor(edge, "mine", ASKED)
    expired = Answer({"title": "The lease has run out"}, 409)
    edge.answer("POST", "subscriptions/mine/settle", expired, cursor.settle)
    bus.subscribe("model.rollback.requested", on_rollback, name="mine")

    bus.run(until=lambda: len(handled) == 1)
    cursor.owed = [ASKED]
    bus.run(until=partial(cursor.is_settled, 1))

    assert len(handled) == 2


def test_leases_are_renewed_for_as_long_as_a_handler_takes(
    edge: Edge, bus: CursorBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    other = {**ASKED, "payload": {"model_id": "other"}}
    cursor = Cursor(edge, "mine", ASKED, other)
    renewed: list[Any] = []

    def renew(asked: Asked) -> Answer:
        renewed.append(asked.document)
        return Answer({"delivery_ids": [0, 1]})

    def take_long(event: Event) -> None:
        before = len(renewed)
        deadline = time.monotonic() + 10
        while len(renewed) < before + 2 and time.monotonic() < deadline:
            time.sleep(0.01)

    edge.answer("POST", "subscriptions/mine/renew", renew)
    bus.subscribe("model.rollback.requested", take_long, name="mine")
    bus.run(until=partial(cursor.is_settled, 2))

    both = {"deliveries": [{"delivery_id": n, "token": f"t{n}"} for n in (0, 1)]}
    assert renewed[0] == both
    assert renewed[-1] == {"deliveries": both["deliveries"][1:]}  # the first was settled by then


def test_a_lease_that_cannot_be_renewed_stops_no_handler(
    edge: Edge, bus: CursorBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    cursor = Cursor(edge, "mine", ASKED)
    edge.answer("POST", "subscriptions/mine/renew", Answer({"title": "Not yours"}, 403))
    bus.subscribe("model.rollback.requested", lambda event: time.sleep(0.2), name="mine")

    bus.run(until=partial(cursor.is_settled, 1))

    assert cursor.settled == [{"delivery_id": 0, "token": "t0"}]
    assert "mine could not renew its leases" in caplog.text


def test_a_subscription_may_be_given_up(edge: Edge, bus: CursorBus) -> None:
    Cursor(edge, "mine")
    edge.answer("DELETE", "subscriptions/mine", Answer({}))
    bus.subscribe("model.promoted", on_rollback, name="mine")

    bus.unsubscribe("mine")

    assert edge.asked[-1].method == "DELETE"
    assert bus.subscriptions == {}


def test_the_bus_waits_while_the_registry_is_down(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.bus.IDLE_SECONDS", 0.01)
    bus = CursorBus(Session(HttpTransport(edge.url, timeout=0.1)))
    cursor = Cursor(edge, "mine", ASKED)
    bus.subscribe("model.rollback.requested", on_rollback, name="mine")
    edge.stop()
    late = threading.Timer(0.5, edge.restart)
    late.start()

    bus.run(until=partial(cursor.is_settled, 1))

    late.join()
    assert len(handled) == 1


def test_one_handler_may_be_subscribed_to_several_types(edge: Edge, bus: CursorBus) -> None:
    Cursor(edge, f"{HERE}.on_rollback")

    bus.subscribe("model.promoted", on_rollback)
    subscription = bus.subscribe("model.archived", on_rollback)

    assert edge.asked[1].document == {
        "event_types": ["model.archived", "model.promoted"],
        "keep": True,
    }
    assert subscription.event_types == {"model.archived", "model.promoted"}


def test_two_handlers_cannot_share_a_name(edge: Edge, bus: CursorBus) -> None:
    Cursor(edge, "mine")
    bus.subscribe("model.promoted", on_rollback, name="mine")

    with pytest.raises(ValueError, match="mine is subscribed with another handler"):
        bus.subscribe("model.promoted", on_rollback_async, name="mine")


@pytest.mark.parametrize(
    "handler", [lambda event: None, partial(on_rollback)], ids=["lambda", "partial"]
)
def test_a_handler_without_a_name_needs_one(
    edge: Edge, bus: CursorBus, handler: Callable[[Event], object]
) -> None:
    Cursor(edge, "mine")

    with pytest.raises(ValueError, match="no name to be found again by"):
        bus.subscribe("model.promoted", handler)

    assert bus.subscribe("model.promoted", handler, name="mine").name == "mine"


def test_under_a_running_loop_sync_and_async_handlers_work(edge: Edge, bus: CursorBus) -> None:
    cursor = Cursor(edge, "mine", ASKED)

    async def main() -> None:
        await bus.subscribe("model.rollback.requested", on_rollback_async, name="mine")
        bus.run(until=partial(cursor.is_settled, 1))

    asyncio.run(main())

    assert len(handled) == 1


def test_a_scripts_own_handlers_are_named_for_its_file(edge: Edge, tmp_path: Path) -> None:
    cursor = Cursor(edge, "pager.handle_model_rollback", ASKED)
    script = tmp_path / "pager.py"
    script.write_text(
        "from assay import get_event_bus\n"
        "bus = get_event_bus()\n"
        "seen = []\n"
        "async def handle_model_rollback(event):\n"
        "    seen.append(event.payload['model_id'])\n"
        "bus.subscribe('model.rollback.requested', handle_model_rollback)\n"
        "bus.run(until=lambda: seen)\n"
        "print(seen)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env={"ASSAY_URL": edge.url, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert (ran.stdout, ran.stderr) == ("['m']\n", "")
    assert len(cursor.settled) == 1


def test_a_published_event_comes_back_as_recorded(edge: Edge, bus: CursorBus) -> None:
    recorded = {**ASKED, "event_type": "team.note", "id": 9, "source": "ada"}
    edge.answer("POST", "events", Answer(recorded, 201))

    event = bus.publish(Event("team.note", {"model_id": "m"}))

    assert edge.asked[0].document == {"event_type": "team.note", "payload": {"model_id": "m"}}
    assert (event.id, event.source) == (9, "ada")
    assert event.timestamp == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_publication_whose_answer_was_lost_is_not_made_twice(edge: Edge, bus: CursorBus) -> None:
    edge.answer("POST", "events", HangUp())

    with pytest.raises(Unavailable, match="does not answer"):
        bus.publish(Event("team.note"))

    assert len(edge.asked) == 1


def test_the_registrys_own_types_are_refused(edge: Edge, bus: CursorBus) -> None:
    edge.answer("POST", "events", Answer({"title": "Only the registry records it"}, 409))

    with pytest.raises(Conflict, match="Only the registry"):
        bus.publish(Event("model.promoted"))
