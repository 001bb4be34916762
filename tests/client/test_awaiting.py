"""The plain call and the awaited call are the same call."""

from __future__ import annotations

import asyncio
import contextvars
import pickle
import threading
from collections.abc import Awaitable

import pytest

from assay import (
    AssayError,
    Deployment,
    ModelRegistryEntry,
    NotFound,
    Reason,
    Receipt,
    Registry,
    RollbackCheck,
)
from assay.awaiting import Document, Listing, aside, loop_is_running
from assay.routing import Traffic
from assay.session import Session
from assay.transport import Request, Response
from tests.client.edge import Answer, Edge
from tests.client.makers import ENTRY, an_entry

CHECK = {
    "model_id": "m",
    "should_rollback": True,
    "reasons": ["error rate 8.0% > 5%"],
    "verdict": "rollback",
    "window_minutes": 10,
    "triggers": [
        {
            "metric": "error_rate",
            "verdict": "rollback",
            "value": 0.08,
            "threshold": 0.05,
            "requests": 1000,
            "snapshots": 1,
            "reason": "error rate 8.0% > 5%",
        },
        {"metric": "ood_rate", "verdict": "no_data", "value": None, "reason": "not reported"},
    ],
}

RESULTS = [
    Listing([1, 2]),
    Document(a=1),
    RollbackCheck.read(CHECK),
    Receipt(1, 0),
    Deployment("m", an_entry().deploy_status),
    an_entry(),
    Traffic("f", "r1", 1, [], []),
]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_a_result_awaits_to_itself_without_suspending(result: Awaitable[object]) -> None:
    with pytest.raises(StopIteration) as end:
        next(iter(result.__await__()))

    assert end.value.value is result


def test_the_plain_and_the_awaited_call_both_work_under_a_loop(
    edge: Edge, registry: Registry
) -> None:
    edge.answer("PATCH", "models/m", Answer(ENTRY))
    edge.answer("GET", "models/m/rollback-check?window_minutes=10", Answer(CHECK))

    async def handler() -> tuple[ModelRegistryEntry, ModelRegistryEntry, bool]:
        plain = registry.update_model("m", metadata={"a": 1})
        awaited = await registry.update_model("m", metadata={"a": 1})
        should_rollback, reasons = await registry.check_rollback_triggers("m")
        assert [str(reason) for reason in reasons] == ["error rate 8.0% > 5%"]
        return plain, awaited, should_rollback

    plain, awaited, should_rollback = asyncio.run(handler())

    assert plain == awaited
    assert should_rollback is True
    assert len(edge.asked) == 3


def test_a_refusal_comes_out_of_the_helper_thread_as_it_is(edge: Edge, registry: Registry) -> None:
    async def ask() -> None:
        await registry.get_model("nobody")

    with pytest.raises(NotFound):
        asyncio.run(ask())


class Recording:
    """A transport that notes which thread does what."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.exchanged: list[int] = []
        self.released: list[int] = []

    def exchange(self, request: Request, into: object = None) -> Response:
        assert not loop_is_running()
        self.exchanged.append(threading.get_ident())
        return Response(self.status, {}, b"{}")

    def release(self) -> None:
        self.released.append(threading.get_ident())


def test_without_a_loop_a_call_stays_in_its_own_thread_and_transaction() -> None:
    transport = Recording()

    Session(transport).get("stats")

    assert transport.exchanged == [threading.get_ident()]
    assert transport.released == []


@pytest.mark.parametrize("status", [200, 404])
def test_under_a_loop_a_helper_thread_works_and_lets_go_of_what_it_held(status: int) -> None:
    transport = Recording(status)

    async def ask() -> None:
        try:
            Session(transport).get("stats")
        except AssayError:
            assert status == 404

    asyncio.run(ask())

    assert transport.exchanged == transport.released
    assert transport.exchanged != [threading.get_ident()]


def test_a_helper_sees_the_callers_context() -> None:
    tenant = contextvars.ContextVar("tenant", default="none")
    tenant.set("risk")

    assert aside(tenant.get).result() == "risk"


def test_helpers_within_helpers_never_wait_for_one_another() -> None:
    def nested(depth: int) -> int:
        return depth if depth == 0 else 1 + aside(nested, depth - 1).result()

    assert aside(nested, 60).result() == 60


def test_what_a_helper_raises_is_a_value_or_raised_as_one_likes() -> None:
    assert isinstance(aside(int, "x").exception(), ValueError)
    with pytest.raises(ValueError, match="invalid literal"):
        aside(int, "x").result()


def test_a_reason_is_its_words_and_carries_its_figures() -> None:
    should_rollback, reasons = check = RollbackCheck.read(CHECK)

    assert should_rollback is True
    assert reasons == ["error rate 8.0% > 5%"]
    assert (reasons[0].metric, reasons[0].value) == ("error_rate", 0.08)
    assert (reasons[0].threshold, reasons[0].window) == (0.05, 10)
    assert check.verdict == "rollback"
    assert check.triggers[1]["verdict"] == "no_data"


def test_a_reason_that_no_trigger_gave_has_no_figures() -> None:
    _, reasons = RollbackCheck.read({**CHECK, "reasons": ["by hand"]})

    assert (reasons[0].metric, reasons[0].value, reasons[0].window) == (None, None, 10)


def test_a_check_survives_the_way_between_processes() -> None:
    check = pickle.loads(pickle.dumps(RollbackCheck.read(CHECK)))

    assert check == (True, ["error rate 8.0% > 5%"])
    assert check.verdict == "rollback"
    assert isinstance(check[1][0], Reason)
    assert check[1][0].value == 0.08
