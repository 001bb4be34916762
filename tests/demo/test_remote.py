"""A serving process of our own: it tells what it is ordered, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo import installation
from demo.lines import FOR_EVER, Status
from demo.remote import NotInTime, Serving, ServingEnded

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
ECHO = """
import json, sys
for line in sys.stdin:
    order = json.loads(line)
    if order["per_second"] == 0:
        print("cannot serve nothing", file=sys.stderr)
        raise SystemExit(1)
    told = {"data_time": order["until"], "waiting": order["per_second"] > 5, "shares": {}}
    print(json.dumps(told), flush=True)
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Serving]:
    log = tmp_path / "serving.log"
    with log.open("w") as errors:
        started = installation.start(["-c", ECHO], environment={}, errors=errors)
        try:
            yield Serving(started, log)
        finally:
            installation.stop(started)


def test_an_order_is_answered_with_a_status(process: Serving) -> None:
    process.order(APRIL, 1.0)

    status = process.wait_until(lambda status: True, seconds=10)

    assert status == Status(data_time="2013-04-01T00:00:00+00:00", waiting=False)
    assert process.status == status


def test_waiting_sees_each_status_until_the_one_it_waits_for(process: Serving) -> None:
    seen: list[bool] = []

    def meanwhile(status: Status) -> None:
        seen.append(status.waiting)
        process.order(APRIL, 9.0)

    process.order(APRIL, 1.0)
    process.wait_until(lambda status: status.waiting, seconds=10, meanwhile=meanwhile)

    assert seen == [False, True]


def test_waiting_has_an_end(process: Serving) -> None:
    with pytest.raises(NotInTime, match="did not get there in 0 s"):
        process.wait_until(lambda status: True, seconds=0.2)


def test_a_process_that_ends_is_told_with_its_last_words(process: Serving) -> None:
    process.order(FOR_EVER, 0.0)

    with pytest.raises(ServingEnded, match="cannot serve nothing"):
        process.wait_until(lambda status: True, seconds=10)


def test_nobody_takes_orders_after_the_end(process: Serving) -> None:
    process.order(FOR_EVER, 0.0)
    with pytest.raises(ServingEnded):
        process.wait_until(lambda status: True, seconds=10)

    with pytest.raises(ServingEnded):
        process.order(FOR_EVER, 1.0)
