"""An event as subscribers and publishers see it, and how a handler is called."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from assay.awaiting import Settled, aside, loop_is_running


@dataclass(frozen=True)
class Event(Settled):
    """Something that happened, or that is asked for; ``timestamp``, ``id``: the registry's."""

    event_type: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: int | str | None = None  # None: not recorded yet


Handler = Callable[[Event], object]


def call(handler: Handler, event: Event) -> None:
    """Run ``handler`` on ``event`` to its end, be it a function or a coroutine function.

    What the handler raises is raised.
    """
    answer = handler(event)
    # Not isawaitable: results of registry calls are that too, and are settled already.
    if not inspect.iscoroutine(answer):
        return
    if loop_is_running():
        aside(asyncio.run, answer).result()
    else:
        asyncio.run(answer)
