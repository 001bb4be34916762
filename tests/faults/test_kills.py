"""SIGKILL in the middle: what was acknowledged is there, and what was begun is done, once."""

from __future__ import annotations

import http.client
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.people import People, eventually
from tests.processes import find, kill, needs_proc, own_servers
from tests.running import run_assay

pytestmark = needs_proc

RECOVERY = 60.0  # seconds; two are usual
HELD_UP = """
select pid from pg_stat_activity
where wait_event_type = 'Lock' and query ilike '%"monitoring_incident"%'
"""
ROLLED_BACK = """
select t.id from registry_stagetransition t join registry_modelversion v on v.id = t.version_id
where v.model_id = %s and t.to_stage = 'rollback'
"""
KEPT = "select timestamp, source from memory_model_performance where model_id = %s"
MAILS = """
select d.state from registry_delivery d join registry_event e on e.id = d.event_id
where e.payload ->> 'model_id' = %s and d.subscriber like '%%.mail.announce'
"""


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    """The people of a product of these tests' own, since they break it."""
    with run_assay() as running:
        yield People(running)


def test_a_rollback_whose_worker_is_killed_is_done_once(people: People) -> None:
    model_id = people.in_canary()

    with rollbacks_held_up(people):
        people.report(model_id, error_rate=0.5)
        eventually(lambda: people.rows(HELD_UP))
        kill(people.running, "-Q control")
        assert people.stage(model_id) == "canary"

    assert_rolled_back_once(people, model_id)


@own_servers
def test_a_killed_database_loses_nothing_that_was_acknowledged(people: People) -> None:
    model_id = people.in_canary()
    replicas = [Replica(people, model_id, f"replica {number}") for number in range(4)]

    with rollbacks_held_up(people), reporting(replicas):
        eventually(lambda: people.rows(HELD_UP))
        eventually(lambda: all(len(replica.acknowledged) > 20 for replica in replicas))
        before = sum(len(replica.acknowledged) for replica in replicas)
        os.kill(find(people.running, "bin/postgres"), signal.SIGKILL)
        eventually(lambda: all(r.acknowledged_again for r in replicas), seconds=RECOVERY)

    people.running.wait_until_ready()
    acknowledged = {key for replica in replicas for key in replica.acknowledged}
    kept = {(row["timestamp"], row["source"]) for row in people.rows(KEPT, model_id)}
    assert len(acknowledged) > before
    assert acknowledged - kept == set()
    assert sum(replica.refused for replica in replicas) > 0, "the database was never away"
    assert_rolled_back_once(people, model_id)


@dataclass
class Replica:
    """A serving process: it reports every snapshot until it is acknowledged, then the next."""

    people: People
    model_id: str
    name: str
    acknowledged: list[tuple[datetime, str]] = field(default_factory=list)
    refused: int = 0
    acknowledged_again: bool = False  # after a refusal

    def report(self, over: threading.Event) -> None:
        """Report until it is over."""
        token = self.people.serving_token(self.model_id)
        at = datetime.now(UTC)
        while not over.is_set():
            if self._is_acknowledged(at, token):
                self.acknowledged.append((at, self.name))
                self.acknowledged_again = self.refused > 0
                at += timedelta(milliseconds=1)
            else:
                self.refused += 1
                over.wait(0.1)

    def _is_acknowledged(self, at: datetime, token: str) -> bool:
        snapshot = {
            "timestamp": at.isoformat(),
            "num_requests": 100,
            "error_rate": 0.5,
            "source": self.name,
        }
        path = f"models/{self.model_id}/performance"
        try:
            status, _ = self.people.running.call("POST", path, snapshot, token=token)
        except (OSError, http.client.HTTPException):
            return False
        return status == 201


@contextmanager
def reporting(replicas: list[Replica]) -> Iterator[None]:
    """All replicas report as long as this holds."""
    over = threading.Event()
    threads = [threading.Thread(target=replica.report, args=[over]) for replica in replicas]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@contextmanager
def rollbacks_held_up(people: People) -> Iterator[None]:
    """Nobody can open an incident: a rollback stands still after it has changed the stage."""
    connection = people.database()
    try:
        connection.execute("lock table monitoring_incident in exclusive mode")
        yield
    finally:
        connection.close()


def assert_rolled_back_once(people: People, model_id: str) -> None:
    """Wait for the rollback: one transition, one incident, and everybody is told."""
    why = eventually(lambda: people.entry(model_id)["rollback"], seconds=RECOVERY)

    assert (why["by"], people.stage(model_id)) == ("rollback monitor", "rollback")
    eventually(lambda: [row["state"] for row in people.rows(MAILS, model_id)] == ["done"])
    assert len(people.rows(ROLLED_BACK, model_id)) == 1
    assert [incident["kind"] for incident in people.incidents(model_id)] == ["rollback"]
