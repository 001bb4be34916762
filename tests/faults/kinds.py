"""The faults: each lets something of a running product fail while a version breaks.

Each is entered when the service is there again, that is, when it answers; what is left to be seen
follows on leaving.
"""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import psycopg

from tests.config.supervised import children, command_line
from tests.faults import later
from tests.faults.brokers import Broker
from tests.faults.jobs import Job, serving
from tests.faults.lanes import GIVEN_UP, INCIDENTS, Lane, Return
from tests.people import eventually
from tests.processes import find, kill
from tests.running import Running, free_port
from tests.webhooks.receiver import receiving

STARTED = 180.0  # seconds, on the busiest machine
WITHOUT_BROKER = 30.0  # seconds
OUTAGE = timedelta(minutes=10)
LATE = 10.0  # seconds until the other job notices that the registry is back
WAITING_FOR = """
select pid from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and query ilike %s
"""
ATTEMPTED = "select id from registry_webhookattempt where webhook_id = %s"
OWNERS_TOLD = """
select s.id from monitoring_playbookstep s join monitoring_playbookrun r on r.id = s.run_id
where r.version_id = %s and s.name = 'notify owners' and s.state = 'done'
"""
TICKED = "assay:beat:control"  # a worker took a tick of beat's
LOOKED = "select last from monitoring_listening where last > %s"


@contextmanager
def control_killed(lane: Lane, job: Job) -> Iterator[Return]:
    """The worker of rollbacks dies when the stage is changed and the incident is not yet open."""
    with held_up(lane, "monitoring_incident"):
        job.broken.set()
        await_that(lambda: is_held_up(lane, "monitoring_incident"))
        killed = kill(lane.people.running, "-Q control")
    yield Return(worker_back(lane, "-Q control", killed))


@contextmanager
def outside_killed(lane: Lane, job: Job) -> Iterator[Return]:
    """The worker of notifications dies while it tells the first person."""
    with held_up(lane, "monitoring_notice"):
        job.broken.set()
        await_that(lambda: is_held_up(lane, "monitoring_notice"))
        killed = kill(lane.people.running, "-Q outside")
    yield Return(worker_back(lane, "-Q outside", killed))


@contextmanager
def beat_killed(lane: Lane, job: Job) -> Iterator[Return]:
    """Beat dies, and the check that should follow a report is lost: only a tick finds the breach."""
    job.silent.set()
    mark = f"assay:check:{lane.key_of(job.model_id)}"
    with lane.broker.client as client:
        await_that(lambda: not client.exists(mark) and lane.broker.waiting() == 0)
        client.set(mark, 1, ex=60)  # as it stands when a worker dies with the message
        kill(lane.people.running, " beat ")
        ticked = client.get(TICKED)
        job.broken.set()
        job.silent.clear()
        yield Return(when(lambda: client.get(TICKED) != ticked))


@contextmanager
def web_killed(lane: Lane, job: Job) -> Iterator[Return]:
    """The web processes die in the middle of reports; what comes after them is bad."""
    job.hurried.set()
    await_that(job.is_heard_anew())
    kill(lane.people.running, "granian")
    job.broken.set()
    job.hurried.clear()
    yield Return(when(lambda: answers(lane.people.running)), job.is_heard_anew())
    assert job.failures, "the web processes were never away"


@contextmanager
def postgres_killed(lane: Lane, job: Job) -> Iterator[Return]:
    """The database dies in the middle of a rollback and of reports."""
    running = lane.people.running
    with held_up(lane, "monitoring_incident"):
        job.broken.set()
        await_that(lambda: is_held_up(lane, "monitoring_incident"))
        job.hurried.set()
        await_that(job.is_heard_anew())
        killed = find(running, "bin/postgres")
        os.kill(killed, signal.SIGKILL)
    when(lambda: started(running, "bin/postgres", but=[killed]))
    at = when(lambda: connects(lane))
    job.hurried.clear()
    yield Return(at, job.is_heard_anew())  # too soon, at times, for a job to have noticed


@contextmanager
def valkey_stopped(lane: Lane, job: Job) -> Iterator[Return]:
    """The broker is away for half a minute, and has forgotten everything when it returns."""
    with away(lane.broker):
        time.sleep(WITHOUT_BROKER / 2)  # what was being done when it went is done
        job.broken.set()
        ends = time.monotonic() + WITHOUT_BROKER / 2
        await_that(job.is_heard_anew())  # reports are taken meanwhile
        time.sleep(max(0.0, ends - time.monotonic()))
        assert job.routed == [job.model_id]
    yield Return(time.monotonic())


@contextmanager
def receiver_dead(lane: Lane, job: Job) -> Iterator[Return]:
    """Nobody listens where a webhook goes: all else is done at once, and it is tried again."""
    port = free_port()
    asked = {"url": f"http://127.0.0.1:{port}/hook", "event_types": ["incident.opened"]}
    hook = lane.people.ask("otto", "POST", "webhooks", asked, expect=201)["webhook_id"]
    job.broken.set()
    await_that(lambda: lane.is_healed(job.model_id) and lane.ask(ATTEMPTED, hook))
    with receiving(port=port) as receiver:
        yield Return(time.monotonic(), lambda: receiver.got)
        await_that(lambda: lane.ask(OWNERS_TOLD, lane.key_of(job.model_id)))
        lane.people.ask("otto", "DELETE", f"webhooks/{hook}", expect=204)
    assert [message["data"]["model_id"] for message in receiver.messages] == [job.model_id]


@contextmanager
def registry_down(lane: Lane, job: Job) -> Iterator[Return]:
    """Everything but the serving jobs is stopped, and started again ten minutes later.

    They pass by the product's one clock and by the jobs', or really, as the lane has it. A job that is
    well notices the return only after the product has looked for silence.
    """
    running = lane.people.running
    other = lane.people.in_canary(family := f"Other {job.model_id}")
    with serving(lane.people, family, other, clock=lane.clock) as bystander:
        running.stop()
        bystander.silent.set()
        job.broken.set()
        lane.let_pass(OUTAGE)
        await_that(lambda: job.failures)
        assert (job.routed, bystander.routed) == ([job.model_id], [other])
        began = lane.clock()
        running.start(**(later.environment(lane.ahead) if lane.ahead else {}))
        at = when(lambda: answers(running))
        yield Return(at, job.is_heard_anew())
        await_that(lambda: lane.ask(LOOKED, began))
        time.sleep(max(0.0, at + LATE - time.monotonic()))
        bystander.silent.clear()
        await_that(bystander.is_heard_anew())
        assert bystander.routed == [other]
    lane.people.move(other, "sandbox")
    assert not (opened := lane.ask(INCIDENTS, other)), opened


@contextmanager
def away(broker: Broker) -> Iterator[None]:
    """The broker is stopped, and has forgotten everything when it is there again."""
    broker.stop()
    try:
        yield
    finally:
        broker.start()


@contextmanager
def held_up(lane: Lane, table: str) -> Iterator[None]:
    """Nobody can write to a table: what comes to it stands still, with all it did before."""
    connection = lane.people.database()
    try:
        connection.execute(f"lock table {table} in exclusive mode")
        yield
    finally:
        connection.close()


def is_held_up(lane: Lane, table: str) -> bool:
    """Whether somebody stands still there."""
    return bool(lane.ask(WAITING_FOR, f'%"{table}"%'))


def worker_back(lane: Lane, words: str, killed: Sequence[int]) -> float:
    """When a worker has its processes again, in place of those killed."""
    running = lane.people.running
    return when(lambda: any(map(children, started(running, words, but=killed))))


def started(running: Running, words: str, *, but: Sequence[int]) -> list[int]:
    """The processes of the supervisor's with these words in their command lines, but some."""
    found = [pid for pid in children(running.process.pid) if words in command_line(pid)]
    return [pid for pid in found if pid not in but]


def connects(lane: Lane) -> bool:
    """Whether the database takes connections; one of before may answer after its death."""
    try:
        lane.people.database().close()
    except psycopg.OperationalError:
        return False
    return True


def await_that(question: Callable[[], object], *, seconds: float = GIVEN_UP) -> None:
    """Wait until it is so, on however busy a machine: how long that took is not what is measured."""
    eventually(question, seconds=seconds)


def when(question: Callable[[], object]) -> float:
    """The moment, on the monotonic clock, from which on it is so."""
    await_that(question, seconds=STARTED)
    return time.monotonic()


def answers(running: Running) -> bool:
    """Whether the web processes answer."""
    try:
        with urllib.request.urlopen(f"{running.url}/healthz", timeout=5):
            return True
    except OSError:
        return False
