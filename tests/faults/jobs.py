"""A serving job beside a product that fails: it routes and reports by the client, as users' jobs do."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from assay import ModelPerformanceSnapshot, Registry, Router, Unavailable
from assay.over_http import HttpTransport
from assay.session import Session
from tests.people import People, eventually

REPLICAS = 2
INTERVAL = timedelta(seconds=2)  # that one snapshot is about, at most
PAUSE = 0.5  # seconds between two reports
PATIENCE = 2.0  # seconds that one report may take
LOOK_EVERY = 0.05
HEARD_WITHIN = 60.0  # on the busiest machine

Key = tuple[datetime, str]  # by what a snapshot of one version is known


@dataclass
class Job:
    """Two replicas that answer one user's requests with a version, and report what they did.

    What was not acknowledged is kept and sent again with what came after it.
    """

    model_id: str
    router: Router
    registry: Registry
    clock: Callable[[], datetime]
    user: str = field(init=False)
    broken: threading.Event = field(default_factory=threading.Event)  # every answer is an error
    hurried: threading.Event = field(default_factory=threading.Event)  # report without pauses
    silent: threading.Event = field(default_factory=threading.Event)  # do not report just now
    over: threading.Event = field(default_factory=threading.Event)
    acknowledged: list[Key] = field(default_factory=list)
    failures: list[datetime] = field(default_factory=list)
    routed: list[str | None] = field(default_factory=list)  # each time the answer changed
    revisions: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        users = (f"user-{number}" for number in itertools.count())
        self.user = next(user for user in users if self.router.route(user))

    def answer(self) -> None:
        """Ask the router what answers the user's requests, until it is over."""
        while not self.over.wait(LOOK_EVERY):
            target = self.router.route(self.user)
            found = target.model_id if target else None
            self.revisions.add(self.router.revision)
            if self.routed[-1:] != [found]:
                self.routed.append(found)

    def report(self, replica: str) -> None:
        """Report as long as the version gets requests."""
        waiting: list[ModelPerformanceSnapshot] = []
        at = self.clock()
        while not self.over.is_set() and self.router.route(self.user) is not None:
            if not self.silent.is_set():
                waiting += self._since(at, replica)
                at = waiting[-1].timestamp
                waiting = self._left_after_sending(waiting)
            if not self.hurried.is_set():
                self.over.wait(PAUSE)

    def is_heard(self) -> bool:
        """Whether every replica has been acknowledged, and the router has a document."""
        return bool(self.routed) and len({source for _, source in self.acknowledged}) == REPLICAS

    def is_heard_anew(self) -> Callable[[], bool]:
        """A question whether more was acknowledged since now."""
        before = len(self.acknowledged)
        return lambda: len(self.acknowledged) > before

    def _since(self, former: datetime, replica: str) -> list[ModelPerformanceSnapshot]:
        """What happened since the last snapshot, up to now, in intervals."""
        now = self.clock()
        ends = [former + n * INTERVAL for n in range(1, (now - former) // INTERVAL + 1)]
        return [
            self._snapshot(at, replica) for at in (*ends, max(now, former + timedelta.resolution))
        ]

    def _snapshot(self, at: datetime, replica: str) -> ModelPerformanceSnapshot:
        broken = self.broken.is_set()
        return ModelPerformanceSnapshot(
            model_id=self.model_id,
            timestamp=at,
            num_requests=1000 if broken else 10,
            error_rate=1.0 if broken else 0.0,
            source=replica,
        )

    def _left_after_sending(
        self, waiting: list[ModelPerformanceSnapshot]
    ) -> list[ModelPerformanceSnapshot]:
        try:
            receipt = self.registry.record_performance_snapshot(waiting)
        except Unavailable:
            self.failures.append(self.clock())
            return waiting
        assert receipt.accepted + receipt.duplicates == len(waiting)
        self.acknowledged += [(each.timestamp, each.source) for each in waiting]
        return []


@contextmanager
def serving(
    people: People, family: str, model_id: str, *, clock: Callable[[], datetime]
) -> Iterator[Job]:
    """A job that serves a version until the block ends; it has been heard when that begins."""
    token = people.serving_token(model_id)
    transport = HttpTransport(people.running.url, token, timeout=PATIENCE)
    registry = Registry(Session(transport))
    with Router(family, registry=registry) as router, ThreadPoolExecutor(REPLICAS + 1) as pool:
        job = Job(model_id, router, registry, clock)
        work = [pool.submit(job.report, f"replica {number}") for number in range(REPLICAS)]
        work.append(pool.submit(job.answer))
        try:
            eventually(job.is_heard, seconds=HEARD_WITHIN)
            yield job
        finally:
            job.over.set()
        for each in work:
            each.result()
