"""Every committed event has one place in the tree, and nothing else has."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from assay import merkle
from config import env
from registry.ledger import events, leaves, sequencer, tree
from registry.models import Event, LedgerLeaf, LedgerNode, PendingLeaf

Happen = Callable[..., list[Event]]
SECONDS = float(os.environ.get("ASSAY_SOAK_SECONDS", "8"))
WRITERS = 8


@pytest.mark.django_db
def test_an_event_waits_for_the_tree_from_the_moment_it_is_recorded(happen: Happen) -> None:
    (event,) = happen()

    assert PendingLeaf.objects.filter(event=event).exists()


@pytest.mark.django_db
def test_events_enter_the_tree_in_order_and_wait_no_more(happen: Happen) -> None:
    recorded = happen(5)

    assert sequencer.sequence() == 5

    placed = LedgerLeaf.objects.order_by("index")
    assert [(leaf.index, leaf.event_id) for leaf in placed] == [
        (n, event.pk) for n, event in enumerate(recorded)
    ]
    assert not PendingLeaf.objects.exists()
    assert sequencer.sequence() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("batches", [[1], [7], [1, 1, 1], [3, 4, 5], [8, 8], [2, 9, 1, 30]])
def test_the_root_is_that_of_the_leaves_however_they_arrive(
    happen: Happen, batches: list[int]
) -> None:
    recorded: list[Event] = []
    for count in batches:
        recorded += happen(count)
        sequencer.sequence()

    whole = merkle.Frontier()
    for _, encoded in sorted(leaves.of([event.pk for event in recorded]).items()):
        whole.append(merkle.leaf_hash(encoded))

    assert tree.size() == len(recorded)
    assert tree.frontier().root() == tree.root(len(recorded)) == whole.root()


@pytest.mark.django_db
def test_a_batch_has_a_limit_and_the_next_goes_on(happen: Happen) -> None:
    happen(5)

    assert [sequencer.sequence(limit=2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.django_db
def test_sequencing_takes_the_same_queries_for_few_and_many(
    happen: Happen,
) -> None:
    happen(200)

    with CaptureQueriesContext(connection) as captured:
        sequencer.sequence()

    assert len(captured) == 10  # two of them open and close the savepoint


@pytest.mark.django_db
@pytest.mark.parametrize("model", [LedgerLeaf, LedgerNode])
def test_leaves_and_nodes_are_append_only(
    happen: Happen, model: type[LedgerLeaf | LedgerNode]
) -> None:
    happen()
    sequencer.sequence()
    table = model._meta.db_table

    for statement in (f"update {table} set index = 9", f"delete from {table}"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement)


@dataclass
class Writers:
    """Connections of their own that record events and roll some of them back."""

    stop: threading.Event = field(default_factory=threading.Event)
    committed: set[int] = field(default_factory=set)
    taken_back: set[int] = field(default_factory=set)

    def write(self, seed: int) -> None:
        chance = random.Random(seed)
        insert = (
            "insert into registry_event (event_type, source, actor, payload, format, timestamp)"
            " values ('team.noted', 'test', 'user:1', '{}', 1, now()) returning id"
        )
        with psycopg.connect(env.database_url()) as session:
            while not self.stop.is_set():
                several = range(chance.randint(1, 4))
                made = {row[0] for _ in several for row in session.execute(insert)}
                time.sleep(chance.random() * 0.02)
                if chance.random() < 0.2:
                    session.rollback()
                    self.taken_back |= made
                else:
                    session.commit()
                    self.committed |= made


def test_eight_writers_that_roll_back_at_times_leave_exactly_what_they_committed(
    committed: None,
) -> None:
    """ASSAY_SOAK_SECONDS sets how long."""
    writers = Writers()
    threads = [threading.Thread(target=writers.write, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        sequencer.sequence(limit=50)
    writers.stop.set()
    for thread in threads:
        thread.join()
    while sequencer.sequence():
        pass

    placed = list(LedgerLeaf.objects.order_by("index").values_list("index", "event_id"))
    assert {pk for _, pk in placed} == writers.committed
    assert [index for index, _ in placed] == list(range(len(writers.committed)))
    assert writers.taken_back
    assert tree.root(tree.size()) == tree.frontier().root()


def test_a_late_commit_with_a_smaller_id_is_not_lost(committed: None) -> None:
    insert = (
        "insert into registry_event (event_type, source, actor, payload, format, timestamp)"
        " values ('team.noted', 'test', 'user:1', '{}', 1, now()) returning id"
    )
    with psycopg.connect(env.database_url()) as slow:
        early = slow.execute(insert.encode()).fetchone()
        late = events.record("team.noted", actor="user:1")
        assert sequencer.sequence() == 1
        slow.commit()

    assert early is not None
    assert early[0] < late.pk
    assert sequencer.sequence() == 1
    placed = LedgerLeaf.objects.order_by("index").values_list("event_id", flat=True)
    assert list(placed) == [late.pk, early[0]]


def test_two_sequencers_at_once_place_every_event_once(committed: None, happen: Happen) -> None:
    happen(300)

    def work() -> None:
        try:
            for _ in range(40):
                sequencer.sequence(limit=20)
        finally:
            connection.close()

    rivals = [threading.Thread(target=work) for _ in range(2)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    while sequencer.sequence():
        pass

    assert tree.size() == 300
    assert tree.root(300) == tree.frontier().root()
