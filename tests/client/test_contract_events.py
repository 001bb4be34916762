"""Events on the real registry: over HTTP to this process, in process to the workers."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from assay import Conflict, Event, ModelRegistryEntry, NotFound, Registry, get_event_bus
from assay.bus import CursorBus
from assay.over_http import HttpTransport
from assay.session import Session
from tests.client.doors import As, over_http
from tests.running import ROOT, Running

HANDLERS = "tests.client.answering"
SUBSCRIBE = f"""
from assay import get_event_bus
from {HANDLERS} import note_registration
get_event_bus().subscribe("model.registered", note_registration)
"""


@pytest.fixture
def as_(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> As:
    return over_http(request, monkeypatch)


def test_a_subscriber_in_its_own_process_gets_what_happens_from_now_on(
    as_: As, trainer: Registry, entry: ModelRegistryEntry, family: str
) -> None:
    as_("oscar", "operator")
    bus = get_event_bus()
    seen: list[Event] = []
    attempts: list[Event] = []

    async def on_registration(event: Event) -> None:
        if event.payload["model_id"] == entry.model_id:
            attempts.append(event)
            if len(attempts) == 1:
                raise ValueError("not yet")
            seen.append(event)

    bus.subscribe("model.registered", on_registration, name=family.replace(" ", "-"))
    trainer.register_model(entry)
    deadline = time.monotonic() + 20

    bus.run(until=lambda: bool(seen) or time.monotonic() > deadline)

    (event,) = seen
    assert event.payload["model_id"] == entry.model_id
    assert event.id == attempts[0].id


def test_a_published_event_is_recorded_and_delivered(as_: As, model_id: str, family: str) -> None:
    as_("oscar", "operator")
    bus = get_event_bus()
    seen: list[Event] = []
    bus.subscribe("team.retrained", seen.append, name=family.replace(" ", "-"))

    published = bus.publish(Event("team.retrained", {"model_id": model_id, "rows": 7}))
    deadline = time.monotonic() + 20
    bus.run(until=lambda: bool(seen) or time.monotonic() > deadline)

    assert published.id is not None
    assert [event.id for event in seen] == [published.id]
    assert seen[0].payload == {"model_id": model_id, "rows": 7}


def test_a_program_that_starts_again_misses_nothing_and_may_leave(as_: As, family: str) -> None:
    """Types of one's own, so that nothing else of the running product comes along."""
    as_("oscar", "operator")
    name = family.replace(" ", "-").lower()
    met, left = f"{name}.met", f"{name}.left"
    seen: list[str | None] = []
    first = CursorBus(get_event_bus().session)
    first.subscribe(met, print, name=name)
    first.subscribe(left, print, name=name)
    again = CursorBus(first.session)

    def see(event: Event) -> None:
        seen.append(event.event_type)

    again.subscribe(met, see, name=name)
    again.publish(Event(left))  # while only one of its types has been said anew
    again.subscribe(left, see, name=name)
    deadline = time.monotonic() + 20
    again.run(until=lambda: bool(seen) or time.monotonic() > deadline)
    again.unsubscribe(name)

    assert seen == [left]
    with pytest.raises(NotFound):
        again.unsubscribe(name)


def test_the_registrys_own_events_cannot_be_published(as_: As) -> None:
    as_("oscar", "operator")

    with pytest.raises(Conflict, match=r"model\.promoted"):
        get_event_bus().publish(Event("model.promoted"))


def test_a_handler_subscribed_in_process_runs_in_a_worker_and_may_call_the_registry(
    running: Running, entry: ModelRegistryEntry
) -> None:
    environ = {**running.environment, "DJANGO_SETTINGS_MODULE": "config.settings"}
    environ.pop("ASSAY_URL", None)
    subprocess.run([sys.executable, "-c", SUBSCRIBE], cwd=ROOT, env=environ, check=True)
    token = running.token("tom", "trainer")
    registry = Registry(Session(HttpTransport(running.url, token)))

    registry.register_model(entry)

    def noted() -> bool:
        return "noted_by_a_worker" in registry.get_model(entry.model_id).metadata

    assert _within(20, noted)


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds()
