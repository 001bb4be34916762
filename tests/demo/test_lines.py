from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from demo import lines
from demo.lines import Order, Status


def status(shares: dict[int, dict[str, int]]) -> Status:
    return Status(data_time="2013-04-01T00:00:00+00:00", waiting=False, shares=shares)


def test_an_order_arrives_as_it_was_given() -> None:
    order = Order(until=datetime(2013, 4, 1, tzinfo=UTC), per_second=1000.0)

    assert Order.read(order.line()) == order


def test_a_status_arrives_as_it_was_told() -> None:
    told = Status(
        data_time="2013-04-01T00:00:00+00:00",
        waiting=True,
        served=12,
        unrouted=3,
        shares={4: {"v1": 9, "v2": 1}, 5: {"v1": 2}},
        drift={"v1": None, "v2": 0.65},
        highest_drift={"v2": 0.66},
        last_answered={"v1": 1.5, "v2": None},
    )

    assert Status.read(told.line()) == told


def test_a_line_is_one_line() -> None:
    assert "\n" not in status({1: {"v1": 2}}).line()


def test_what_a_version_answered_is_summed_over_revisions() -> None:
    assert status({4: {"v1": 9, "v2": 1}, 5: {"v1": 2}}).answered("v1") == 11
    assert status({4: {"v1": 9}}).answered("v2") == 0


def test_a_share_counts_only_while_there_were_others() -> None:
    told = status({3: {"v1": 50}, 4: {"v1": 90, "v2": 10}, 5: {"v1": 80, "v2": 20}, 6: {"v1": 7}})

    assert told.split("v2") == (30, 200)


def test_after_its_last_revision_only_others_answer() -> None:
    told = status({4: {"v1": 90, "v2": 10}, 5: {"v1": 7}, 6: {"v1": 3}})

    assert told.after("v2") == 10
    assert told.after("v1") == 0
    assert told.after("nobody") == 100 + 10


def test_counts_told_do_not_change_afterwards() -> None:
    counting = {1: Counter(v1=1)}

    told = lines.counted(counting)
    counting[1]["v1"] += 1

    assert told == {1: {"v1": 1}}
