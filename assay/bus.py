"""Subscribing to the registry's events: durable, at least once, so a handler may run twice."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay import events, leases, wire
from assay.awaiting import Settled, aside
from assay.errors import AssayError, Unavailable
from assay.events import Event, Handler
from assay.in_process import InProcessTransport
from assay.over_http import HttpTransport
from assay.registry import transport_for
from assay.session import ACCEPTED, Session, path
from assay.transport import Request

LEASED = 10  # deliveries taken at once
IDLE_SECONDS = 1.0
LONGEST_ERROR = 2_000  # characters

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Subscription(Settled):
    """What ``handler`` is called for; ``name`` is its place in the events, kept by the registry."""

    name: str
    event_types: frozenset[str]
    handler: Handler = field(repr=False)


class EventBus(ABC):
    """The registry's events: what is published stays, and every subscriber gets it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.subscriptions: dict[str, Subscription] = {}

    def publish(self, event: Event) -> Event:
        """Record an event of your own; gives it as recorded.

        Raises:
            Conflict: Only the registry itself records events of this type.
        """
        asked = {"event_type": event.event_type, "payload": event.payload}
        return wire.read(Event, {**asked, **self.session.write("POST", "events", document=asked)})

    def subscribe(
        self, event_type: str, handler: Handler, *, name: str | None = None
    ) -> Subscription:
        """Have ``handler``, sync or async, called with each event of ``event_type`` from now on.

        One handler may be subscribed to several types; they arrive in one order. What it was
        subscribed to before, by another process too, stays.

        Args:
            event_type: As ``model.promoted``, or ``model.*`` for all that begin so.
            name: What the registry keeps the place under; by default the handler's own name.

        Raises:
            ValueError: The handler cannot be found again under a name.
        """
        named = self._name(handler, name)
        before = self.subscriptions.get(named)
        if before is not None and before.handler is not handler:
            raise ValueError(f"{named} is subscribed with another handler: give a name of its own.")
        types = frozenset({event_type}) | (before.event_types if before else frozenset())
        self._declare(named, types, keep=True)
        self.subscriptions[named] = Subscription(named, types, handler)
        return self.subscriptions[named]

    def unsubscribe(self, name: str) -> None:
        """Owe the subscription of this name nothing more; what it was still owed is parked.

        Raises:
            NotFound: There is none.
        """
        self.session.send(Request("DELETE", path("subscriptions", name), ACCEPTED))
        self.subscriptions.pop(name, None)

    @abstractmethod
    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Call the handlers as events come, until ``until()`` holds; without it, for ever."""

    def _declare(self, name: str, types: frozenset[str], *, keep: bool) -> None:
        asked = {"event_types": sorted(types), "keep": keep, **self._declared(name)}
        self.session.write("PUT", "subscriptions", name, document=asked)

    @abstractmethod
    def _name(self, handler: Handler, name: str | None) -> str: ...

    @abstractmethod
    def _declared(self, name: str) -> Mapping[str, str]: ...


class WorkerBus(EventBus):
    """Inside the registry: its workers find handlers by their dotted path and call them."""

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Refuse: in process there is nothing to run.

        Raises:
            ValueError: Always.
        """
        raise ValueError("In process the registry's workers call the handlers: nothing to run.")

    def _name(self, handler: Handler, name: str | None) -> str:
        if name is not None:
            raise ValueError("In process a subscription has its handler's dotted path as its name.")
        module, function = _home(handler)
        allowed = os.environ.get("ASSAY_HANDLER_MODULES", "")
        if module not in [listed.strip() for listed in allowed.split(",")]:
            raise ValueError(
                f"Workers may not import {module!r}: add it to ASSAY_HANDLER_MODULES "
                f"(now {allowed!r}), which is a comma-separated list of modules."
            )
        if getattr(sys.modules.get(module), function, None) is not handler:
            raise ValueError(f"Workers cannot find {function!r} in {module}: make it a function.")
        return f"{module}.{function}"

    def _declared(self, name: str) -> Mapping[str, str]:
        return {"handler": name}


class CursorBus(EventBus):
    """Over HTTP: the subscriber's own process leases events, calls the handler and settles."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._exact: dict[str, Subscription] = {}  # those that the registry keeps no more types of

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Call the handlers as events come; ``until`` is asked between batches.

        What was subscribed by now is all there is: types that the program has dropped since it
        last ran are owed no more. A handler may take as long as it likes; its leases are renewed.
        A handler that raises is settled with its error and called again later; ten failures park
        the event. While the registry is down it waits.
        """
        while until is None or not until():
            try:
                handled = sum([self._batch(each) for each in [*self.subscriptions.values()]])
            except Unavailable as error:
                log.warning("Waiting for the registry: %s", error)
                handled = 0
            if not handled:
                time.sleep(IDLE_SECONDS)

    def _batch(self, subscription: Subscription) -> int:
        if self._exact.get(subscription.name) is not subscription:
            self._declare(subscription.name, subscription.event_types, keep=False)
            self._exact[subscription.name] = subscription
        answer = self.session.write(
            "POST",
            "subscriptions",
            subscription.name,
            "lease",
            document={"limit": LEASED},
            repeatable=True,
        )
        lent = {each["delivery_id"]: each["token"] for each in answer["deliveries"]}
        with leases.held(self.session, subscription.name, lent):
            for delivery in answer["deliveries"]:
                self._deliver(subscription, delivery)
                del lent[delivery["delivery_id"]]
        return len(answer["deliveries"])

    def _deliver(self, subscription: Subscription, delivery: Mapping[str, Any]) -> None:
        settled = {"delivery_id": delivery["delivery_id"], "token": delivery["token"]}
        event = wire.read(Event, delivery["event"])
        # In a thread of its own it may be async whatever runs here, and its error is a value.
        error = aside(events.call, subscription.handler, event).exception()
        if error is not None:
            log.error("%s failed on %s", subscription.name, event.event_type, exc_info=error)
            settled["error"] = _sentence(error)
        try:
            self.session.write(
                "POST", "subscriptions", subscription.name, "settle", document=settled
            )
        except AssayError as refusal:
            # The lease ran out, say: the event comes again, which handlers must bear anyway.
            log.warning("%s could not settle %s: %s", subscription.name, event.id, refusal)

    def _name(self, handler: Handler, name: str | None) -> str:
        if name is not None:
            return name
        module, function = _home(handler)
        if module == "__main__":
            # Every script is __main__; its file's name tells one script's place from another's.
            module = Path(getattr(sys.modules["__main__"], "__file__", "__main__")).stem
        return f"{module}.{function.replace('.<locals>', '')}"

    def _declared(self, name: str) -> Mapping[str, str]:
        return {}


_buses: dict[HttpTransport | InProcessTransport, EventBus] = {}


def get_event_bus(actor: str | None = None) -> EventBus:
    """The event bus of the registry that `assay.get_registry` gives; always the same object.

    Raises:
        ValueError: As `assay.get_registry`.
    """
    transport = transport_for(actor, os.environ)
    kind = CursorBus if isinstance(transport, HttpTransport) else WorkerBus
    return _buses.setdefault(transport, kind(Session(transport)))


def _home(handler: Handler) -> tuple[str, str]:
    module = getattr(handler, "__module__", None)
    function = getattr(handler, "__qualname__", None)
    if module is None or function is None or "<lambda>" in function:
        raise ValueError(f"{handler!r} has no name to be found again by: use a def.")
    return module, function


def _sentence(error: BaseException) -> str:
    """What ``error`` says, in the printable characters that the registry keeps."""
    said = "".join(traceback.format_exception_only(error)).strip()[:LONGEST_ERROR]
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in said
    )
