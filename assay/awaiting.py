"""One interface for plain and for async callers.

Every call does its work at once and blocks until the registry has committed. Under a running event
loop the work is done in a helper thread, because neither Django's ORM nor the loop's own thread may
wait there. Every result carries ``__await__`` and awaits to itself, so that ``registry.f(…)`` and
``await registry.f(…)`` are the same call.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, Self, TypeVar

Params = ParamSpec("Params")
Result = TypeVar("Result")
Item = TypeVar("Item")


class Settled:
    """A result that is there already: awaiting it gives it back and never suspends."""

    def __await__(self) -> Generator[Any, None, Self]:
        yield from ()
        return self


class Listing(list[Item], Settled):
    """A list that may be awaited."""


class Document(dict[str, Any], Settled):
    """A JSON object that may be awaited."""


def aside(
    call: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs
) -> Future[Result]:
    """Run ``call`` to its end in a thread of its own, in the caller's context.

    A new thread for each call, since a pool could fill with calls that wait for one another: a
    handler that an in-process call sets off calls the registry again.
    """
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="assay") as helper:
        return helper.submit(lambda: context.run(call, *args, **kwargs))


def loop_is_running() -> bool:
    """Whether this thread is running an event loop, and so must not block on a database."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
