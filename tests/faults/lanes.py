"""One product that suffers one fault after another, and what must hold after each."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.faults.brokers import Broker, own_broker
from tests.faults.jobs import Job, serving
from tests.people import People, eventually
from tests.running import run_assay

CONTRACT = 15.0  # seconds from a service's return until all is as it should be
GIVEN_UP = 60.0  # seconds, when there is nothing more to wait for
MOST_WAITING = 60  # tasks on the broker once all is well; three of beat's rounds
HEALED = """
select exists(
    select from registry_stagetransition t join registry_modelversion v on v.id = t.version_id
    where v.model_id = %s and t.to_stage = 'rollback'
) and exists(
    select from registry_delivery d join registry_event e on e.id = d.event_id
    where e.payload ->> 'model_id' = %s and e.event_type = 'incident.opened'
        and d.state = 'done'
) as healed
"""
MOVES = """
select t.to_stage from registry_stagetransition t join registry_modelversion v on v.id = t.version_id
where v.model_id = %s order by t.id
"""
INCIDENTS = """
select i.kind from monitoring_incident i join registry_modelversion v on v.id = i.version_id
where v.model_id = %s
"""
EVENTS = "select event_type from registry_event where payload ->> 'model_id' = %s"
MAILED = """
select d.id from registry_delivery d join registry_event e on e.id = d.event_id
where e.payload ->> 'model_id' = %s and d.subscriber like '%%.mail.announce' and d.state = 'done'
"""
KEPT = "select timestamp, source from memory_model_performance where model_id = %s"
ONCE = ("model.rollback.requested", "model.rolled_back", "incident.opened")


@dataclass
class Lane:
    """A product with a broker of the test's own, and the time it takes it to be."""

    people: People
    broker: Broker
    ahead: timedelta = field(default_factory=timedelta)  # of this machine's clock
    really_waits: bool = False
    connection: psycopg.Connection | None = None

    def clock(self) -> datetime:
        """What time it is for the product and its serving jobs."""
        return datetime.now(UTC) + self.ahead

    def let_pass(self, time_away: timedelta) -> None:
        """Wait so long, or only have the clock of the product and its jobs go on."""
        if self.really_waits:
            time.sleep(time_away.total_seconds())
        else:
            self.ahead += time_away

    def ask(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the product's database, by a connection that is kept; none while it is away."""
        try:
            if self.connection is None or self.connection.broken:
                self.connection = self.people.database()
                self.connection.autocommit = True
            cursor = self.connection.cursor(row_factory=dict_row)
            return cursor.execute(query, values or None).fetchall()
        except psycopg.OperationalError:
            return []

    def key_of(self, model_id: str) -> int:
        """The number of a version's row."""
        (row,) = self.ask("select id from registry_modelversion where model_id = %s", model_id)
        found: int = row["id"]
        return found

    def is_healed(self, model_id: str) -> bool:
        """Whether the version was taken out and somebody was told."""
        return any(row["healed"] for row in self.ask(HEALED, model_id, model_id))


@dataclass(frozen=True)
class Return:
    """When the service was there again, and what must have happened then beside the rollback."""

    at: float  # on the monotonic clock
    more: Callable[[], object] = lambda: True


Fault = Callable[[Lane, Job], AbstractContextManager[Return]]


@contextmanager
def lane() -> Iterator[Lane]:
    """A product, up."""
    with (
        own_broker() as broker,
        run_assay(REDIS_URL=broker.url, ASSAY_WEBHOOK_ALLOW="127.0.0.0/8") as running,
    ):
        people = People(running)
        mine = Lane(people, broker)
        # Whoever has never looked for silence does not know that it was away.
        eventually(lambda: mine.ask("select from monitoring_listening"), seconds=GIVEN_UP)
        try:
            yield mine
        finally:
            if mine.connection is not None:
                mine.connection.close()


def suffer(lane: Lane, fault: Fault) -> float:
    """A fault while a version that breaks is served; seconds from the service's return to health.

    Raises:
        AssertionError: Something was lost, done twice, or not done.
    """
    family = f"Fault {uuid.uuid4().hex[:8]}"
    try:
        model_id = lane.people.in_canary(family)
        with serving(lane.people, family, model_id, clock=lane.clock) as job:
            with fault(lane, job) as back:
                eventually(lambda: lane.is_healed(model_id) and back.more(), seconds=GIVEN_UP)
                seconds = time.monotonic() - back.at
            eventually(lambda: job.routed[-1] is None, seconds=GIVEN_UP)
        assert_done_once(lane, job)
    except Exception as error:
        error.add_note(f"{fault.__name__}, {family}:\n{lane.people.running.log()}")
        raise
    return seconds


def assert_done_once(lane: Lane, job: Job) -> None:
    """One stage change, one incident, one mail; nothing acknowledged is lost, no traffic moved early."""
    eventually(lambda: lane.ask(MAILED, job.model_id), seconds=GIVEN_UP)
    rows = lane.ask
    moves = [row["to_stage"] for row in rows(MOVES, job.model_id)]
    assert moves == ["development", "sandbox", "canary", "rollback"]
    assert [row["kind"] for row in rows(INCIDENTS, job.model_id)] == ["rollback"]
    told = Counter(row["event_type"] for row in rows(EVENTS, job.model_id))
    assert {name: told[name] for name in ONCE} == dict.fromkeys(ONCE, 1)
    folder = lane.people.running.home / "mail"
    assert sum(job.model_id in mail.read_text(errors="replace") for mail in folder.iterdir()) == 1

    kept = {(row["timestamp"], row["source"]) for row in rows(KEPT, job.model_id)}
    assert set(job.acknowledged) - kept == set()
    assert job.routed == [job.model_id, None]
    first = min(job.revisions)
    assert job.revisions == {first, first + 1}
    assert lane.broker.waiting() <= MOST_WAITING
