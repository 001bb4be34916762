"""A serving process: it obeys the family's traffic document and reports what it measures.

    ASSAY_URL=… ASSAY_TOKEN=… python -m demo.serving flights "Flight delay" --home DIR

It knows the registry only by its public API, with a token of role ``serving``. Orders come on its
standard input, its status goes to its standard output each second (see `demo.lines`); it ends with
its input. While the registry is away it serves on with the last traffic it knew.
"""

from __future__ import annotations

import argparse
import contextlib
import queue
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from assay import AssayError, Registry, Router, Target, Unavailable, get_registry
from assay.entries import ModelPerformanceSnapshot
from assay.profiles import Profile
from demo import census, flights, lines, sources, streams
from demo.answering import Model, Version
from demo.census import Encoding
from demo.lines import Order, Status
from demo.streams import Stream

REPORT_SECONDS = 1.0
TICK_SECONDS = 0.02
KEPT_SNAPSHOTS = 3_600  # of an hour without a registry


class Routing(Protocol):
    """What a gateway needs of `assay.Router`."""

    @property
    def revision(self) -> int:
        """Of the traffic in force."""

    @property
    def targets(self) -> Sequence[Target]:
        """The versions that get requests now."""

    def route(self, key: str) -> Target | None:
        """The version that answers a request; None: there is none."""


@dataclass
class Fleet:
    """The versions this process has loaded, each once."""

    registry: Registry
    stream: Stream
    folder: Path
    versions: dict[str, Version] = field(default_factory=dict)

    def version(self, target: Target) -> Version:
        """The version that ``target`` names.

        Raises:
            AssayError: Its artifact or its profile cannot be had, or the bytes are not those
                recorded.
        """
        if target.model_id not in self.versions:
            self.versions[target.model_id] = self._load(target)
        return self.versions[target.model_id]

    def _load(self, target: Target) -> Version:
        place = self.folder / f"{target.model_id}.safetensors"
        got = self.registry.download_artifact(target.model_id, place)
        if got.sha256 != target.sha256:
            raise AssayError(f"The artifact of {target.model_id} is not the one in the traffic.")
        profile = Profile.from_json(dict(self.registry.profile(target.model_id)))
        inputs = self.stream.inputs([feature.name for feature in profile.features])
        return Version(
            target.model_id, Model.load(place), profile, inputs, seasonal=self.stream.seasonal
        )


class Reporter(threading.Thread):
    """Posts snapshots beside the serving, so that a slow registry slows no answer."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(name="demo-reporter", daemon=True)
        self._registry = registry
        self._waiting: queue.SimpleQueue[list[ModelPerformanceSnapshot]] = queue.SimpleQueue()

    def post(self, snapshots: list[ModelPerformanceSnapshot]) -> None:
        """Have these posted soon."""
        if snapshots:
            self._waiting.put(snapshots)

    def run(self) -> None:
        """Post for ever; what an absent registry missed goes with the next."""
        missed: list[ModelPerformanceSnapshot] = []
        while True:
            snapshots = (missed + self._waiting.get())[-KEPT_SNAPSHOTS:]
            missed = []
            try:
                self._registry.record_performance_snapshot(snapshots)
            except Unavailable:
                missed = snapshots
            except AssayError as refusal:
                say(f"snapshots refused: {refusal}")


class Orders(threading.Thread):
    """Reads orders; the last one is in force. ``ended`` says that nobody will give another."""

    def __init__(self, lines_in: Iterable[str]) -> None:
        super().__init__(name="demo-orders", daemon=True)
        self._lines = lines_in
        self.current: Order | None = None
        self.ended = False

    def run(self) -> None:
        """Read until the other side is gone."""
        for line in self._lines:
            self.current = Order.read(line)
        self.ended = True


@dataclass
class Gateway:
    """Serves a stream: each request goes to the version its key belongs to."""

    stream: Stream
    router: Routing
    fleet: Fleet
    place: int  # of the next request
    source: str
    unrouted: int = 0
    shares: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    highest: dict[str, float] = field(default_factory=dict)

    def serve(self, count: int, until: datetime) -> int:
        """Serve up to ``count`` requests of before ``until``; gives how many there were."""
        last = min(self.place + count, self.stream.first_from(until))
        served = max(0, last - self.place)
        for at in range(self.place, self.place + served):
            self._one(at)
        self.place += served
        return served

    def prepare(self) -> None:
        """Load versions before they are asked for."""
        for target in self.router.targets:
            self.fleet.version(target)

    def report(self, now: datetime, seconds: float) -> list[ModelPerformanceSnapshot]:
        """What each version did since the last report."""
        reports = [
            version.report(now=now, data_time=self.data_time, seconds=seconds, source=self.source)
            for version in self.fleet.versions.values()
        ]
        snapshots = [report for report in reports if report is not None]
        for snapshot in snapshots:
            if snapshot.input_drift_score is not None:
                known = self.highest.get(snapshot.model_id, 0.0)
                self.highest[snapshot.model_id] = max(known, snapshot.input_drift_score)
        return snapshots

    @property
    def data_time(self) -> datetime:
        """The moment of the last request."""
        return self.stream.moment(max(0, self.place - 1))

    def status(self, *, waiting: bool) -> Status:
        """Where this process stands."""
        versions = self.fleet.versions
        return Status(
            data_time=self.data_time.isoformat(),
            waiting=waiting,
            served=sum(counts.total() for counts in self.shares.values()),
            unrouted=self.unrouted,
            shares=lines.counted(self.shares),
            drift={name: version.drift for name, version in versions.items()},
            highest_drift=dict(self.highest),
            last_answered={name: version.last_answered for name, version in versions.items()},
        )

    def _one(self, at: int) -> None:
        revision = self.router.revision  # read first: a version never counts after its revision
        target = self.router.route(self.stream.keys[at])
        if target is None:
            self.unrouted += 1
            return
        self.fleet.version(target).answer(at)
        self.shares[revision][target.model_id] += 1


def run(
    gateway: Gateway, orders: Orders, post: Callable[[list[ModelPerformanceSnapshot]], None]
) -> None:
    """Serve as ordered until there is nobody to give orders."""
    before = reported = time.monotonic()
    due = 0.0
    while not orders.ended:
        time.sleep(TICK_SECONDS)
        gateway.prepare()
        now = time.monotonic()
        waiting = True
        if order := orders.current:
            due = min(due + order.per_second * (now - before), order.per_second)
            served = gateway.serve(int(due), order.until)
            waiting = served < int(due)
            due -= int(due)
        before = now
        if now - reported >= REPORT_SECONDS:
            post(gateway.report(datetime.now(UTC), now - reported))
            say_status(gateway.status(waiting=waiting))
            reported = now


def say_status(status: Status) -> None:
    """Tell whoever listens on the standard output."""
    print(status.line(), flush=True)


def say(message: str) -> None:
    """Tell whoever looks at the log."""
    print(f"{datetime.now(UTC):%H:%M:%S} {message}", file=sys.stderr, flush=True)


def stream_of(name: str, *, year: int, seed: int) -> Stream:
    """The requests of one of the two streams; ``year`` and ``seed`` are those of people."""
    if name == "flights":
        return streams.of_flights(flights.read(sources.folder(sources.FLIGHTS)))
    folder = sources.folder(sources.CENSUS)
    encoding = Encoding.of(census.read(folder, 2015))
    people = census.read(folder, year)
    return streams.of_people(people, encoding, seed=seed, begins=datetime.now(UTC))


def main() -> None:
    """Serve until the standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the storyteller's to answer
    asked = _arguments().parse_args()
    registry = get_registry()
    stream = stream_of(asked.stream, year=asked.year, seed=asked.seed)
    place = stream.first_from(datetime.fromisoformat(asked.begins)) if asked.begins else 0
    asked.home.mkdir(parents=True, exist_ok=True)
    reporter, orders = Reporter(registry), Orders(sys.stdin)
    reporter.start()
    orders.start()
    with Router(asked.family, registry=registry, keep_in=asked.home / "traffic.json") as router:
        fleet = Fleet(registry, stream, asked.home)
        gateway = Gateway(stream, router, fleet, place, source=f"demo-{asked.stream}")
        say(f"{len(stream):,} requests of {asked.stream}, traffic of {asked.family!r}")
        with contextlib.suppress(BrokenPipeError):
            run(gateway, orders, reporter.post)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo.serving", description=__doc__)
    parser.add_argument("stream", choices=("flights", "employment"))
    parser.add_argument("family", help="whose traffic document to obey")
    parser.add_argument("--home", type=Path, required=True, help="for artifacts and traffic")
    parser.add_argument(
        "--begins", help="data time of the first request, as 2013-03-25T00:00+00:00"
    )
    parser.add_argument("--year", type=int, default=2017, help="of the people")
    parser.add_argument("--seed", type=int, default=0, help="of the order of people")
    return parser


if __name__ == "__main__":
    main()
