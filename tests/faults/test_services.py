"""What the product stands on fails while a version breaks: all is done, once, and nothing is lost.

Lanes, each with a product of its own, suffer every kind of fault in turn, so that their waiting
overlaps. CI has five of each kind, `make soak` fifty. Of the registry's ten minutes away CI only lets
the clocks pass; `make soak` waits for them once.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests import addresses, migrated
from tests.faults import kinds
from tests.faults.lanes import CONTRACT, Fault, lane, suffer
from tests.processes import needs_proc, own_servers

pytestmark = needs_proc

LANES, ROUNDS = (5, 10) if "ASSAY_SOAK" in os.environ else (1, 5)
FAULTS: Mapping[str, Sequence[Fault]] = {  # kinds with several faults take turns
    "worker": (kinds.control_killed, kinds.outside_killed),
    "valkey": (kinds.valkey_stopped,),
    "beat": (kinds.beat_killed,),
    "web": (kinds.web_killed,),
    "receiver": (kinds.receiver_dead,),
    "postgres": (kinds.postgres_killed,),
    "registry": (kinds.registry_down,),
}
ON_OWN_SERVERS = {"postgres"}
KINDS = [
    pytest.param(kind, marks=own_servers if kind in ON_OWN_SERVERS else (), id=kind)
    for kind in FAULTS
]
Recovery = Future[float]  # seconds


@pytest.fixture(scope="module")
def recoveries(request: pytest.FixtureRequest) -> Mapping[str, Sequence[Recovery]]:
    """What came of each fault of the kinds that are asked for."""
    asked = {item.name for item in request.session.items if item.path == request.path}
    chosen = [kind for kind in FAULTS if any(f"[{kind}]" in name for name in asked)]
    if addresses.given():
        chosen = [kind for kind in chosen if kind not in ON_OWN_SERVERS]
    else:
        migrated.home()
    found = defaultdict(list)
    with ThreadPoolExecutor(LANES) as pool:
        for endured in pool.map(lambda number: endure(number, chosen), range(LANES)):
            for kind, recovery in endured:
                found[kind].append(recovery)
    return found


def endure(number: int, chosen: Sequence[str]) -> list[tuple[str, Recovery]]:
    """Every kind of fault in each round, beginning with another kind than the other lanes.

    A lane goes on after a failure, with another model.
    """
    first = number % max(1, len(chosen))
    order = [*chosen[first:], *chosen[:first]]
    endured = []
    with lane() as mine, ThreadPoolExecutor(1) as hand:
        for turn in range(ROUNDS):
            for kind in order:
                fault = FAULTS[kind][(number + turn) % len(FAULTS[kind])]
                endured.append((kind, hand.submit(suffer, mine, fault)))
    return endured


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_leaves_one_rollback_one_incident_and_all_that_was_acknowledged(
    recoveries: Mapping[str, Sequence[Recovery]], kind: str
) -> None:
    failures = [error for each in recoveries[kind] if (error := each.exception())]
    seconds = sorted(each.result() for each in recoveries[kind] if not each.exception())
    print(f"{kind}: {len(seconds)} recoveries, in seconds", *(f"{each:.1f}" for each in seconds))
    if failures:
        raise BaseExceptionGroup(f"{len(failures)} of {len(recoveries[kind])} failed", failures)
    assert len(seconds) == LANES * ROUNDS
    assert max(seconds) <= CONTRACT


@pytest.mark.skipif("ASSAY_SOAK" not in os.environ, reason="takes minutes: set ASSAY_SOAK=1")
def test_the_registry_may_really_be_away_for_ten_minutes() -> None:
    with lane() as mine:
        mine.really_waits = True
        assert suffer(mine, kinds.registry_down) <= CONTRACT
