"""A handler runs to its end, sync or async, whatever thread or loop it is called from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from assay import Event
from assay.events import call
from tests.client.handlers import handled, on_rollback, on_rollback_async


@pytest.fixture(autouse=True)
def nothing_handled() -> None:
    handled.clear()


@pytest.mark.parametrize("handler", [on_rollback, on_rollback_async, partial(on_rollback)])
def test_a_handler_has_run_when_the_call_returns(handler: Callable[[Event], object]) -> None:
    event = Event("model.promoted", {"model_id": "m"})

    call(handler, event)

    assert handled == [event]


def test_an_async_handler_runs_under_a_running_loop() -> None:
    async def main() -> None:
        call(on_rollback_async, Event("model.promoted"))

    asyncio.run(main())

    assert len(handled) == 1


def test_a_handlers_error_is_raised() -> None:
    async def failing(event: Event) -> None:
        raise LookupError(event.event_type)

    with pytest.raises(LookupError, match="model.promoted"):
        call(failing, Event("model.promoted"))


def test_a_result_that_may_be_awaited_is_no_coroutine_to_run() -> None:
    def answering(event: Event) -> Event:
        return event

    call(answering, Event("model.promoted"))
