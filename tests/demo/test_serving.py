"""The serving process without a registry: a router and a fleet of our own at its edge."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay import AssayError, Registry, Target
from assay.profiles import Profile
from assay.session import Session
from assay.transport import Request, Response
from demo import networks
from demo.lines import Order
from demo.serving import Fleet, Gateway, Orders, run
from demo.streams import Stream

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
ROWS = 1000
V1 = Target("v1", "artifacts/v1", None, 9000)
V2 = Target("v2", "artifacts/v2", None, 1000)


class Routes:
    """A router whose traffic the test decides."""

    def __init__(self, *targets: Target) -> None:
        self.targets: Sequence[Target] = targets
        self.revision = 1

    def route(self, key: str) -> Target | None:
        """Every tenth request goes to the last target."""
        if not self.targets:
            return None
        return self.targets[-1] if int(key) % 10 == 0 else self.targets[0]

    def change(self, *targets: Target) -> None:
        self.targets = targets
        self.revision += 1


class Shelf:
    """A transport behind which every model is the same artifact and profile."""

    def __init__(self, artifact: bytes, profile: Profile) -> None:
        self.artifact, self.profile = artifact, profile
        self.asked: list[str] = []

    def exchange(self, request: Request, into: Any = None) -> Response:
        self.asked.append(request.path)
        if request.path.endswith("/artifact"):
            into.write(self.artifact)
            return Response(200, {"etag": f'"{self.sha256}"'}, b"")
        return Response(200, {}, json.dumps(self.profile.to_json()).encode())

    def release(self) -> None:
        pass

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.artifact).hexdigest()


@pytest.fixture
def stream() -> Stream:
    first = np.datetime64("2013-04-01T00:00:00", "s")
    rng = np.random.default_rng(0)
    return Stream(
        keys=[str(at) for at in range(ROWS)],
        moments=first + np.arange(ROWS).astype("timedelta64[m]"),
        columns={"a": rng.normal(size=ROWS).astype(np.float32)},
        seasonal=False,
    )


@pytest.fixture
def shelf(stream: Stream) -> Shelf:
    rows = stream.inputs(["a"])
    network = networks.fit(rows, (rows[:, 0] > 0).astype(np.int64), seed=0)
    return Shelf(network.artifact(), Profile.freeze({"a": rows[:, 0]}))


def gateway(stream: Stream, shelf: Shelf, routes: Routes, folder: Path) -> Gateway:
    fleet = Fleet(Registry(Session(shelf)), stream, folder)
    routes.targets = [at(target, shelf) for target in routes.targets]
    return Gateway(stream, routes, fleet, place=0, source="test")


def at(target: Target, shelf: Shelf) -> Target:
    return Target(target.model_id, target.artifact_uri, shelf.sha256, target.basis_points)


def test_each_request_goes_where_the_router_says(
    stream: Stream, shelf: Shelf, tmp_path: Path
) -> None:
    serving = gateway(stream, shelf, Routes(V1, V2), tmp_path)

    served = serving.serve(100, APRIL + timedelta(days=1))

    assert served == 100
    assert serving.status(waiting=False).shares == {1: {"v1": 90, "v2": 10}}


def test_nothing_is_served_beyond_the_order(stream: Stream, shelf: Shelf, tmp_path: Path) -> None:
    serving = gateway(stream, shelf, Routes(V1), tmp_path)

    assert serving.serve(500, APRIL + timedelta(minutes=30)) == 30
    assert serving.serve(500, APRIL + timedelta(minutes=30)) == 0
    assert serving.data_time == APRIL + timedelta(minutes=29)


def test_requests_without_a_version_are_counted_apart(
    stream: Stream, shelf: Shelf, tmp_path: Path
) -> None:
    serving = gateway(stream, shelf, Routes(), tmp_path)

    serving.serve(10, APRIL + timedelta(days=1))

    status = serving.status(waiting=False)
    assert (status.served, status.unrouted) == (0, 10)


def test_a_version_is_loaded_once_and_ahead_of_its_requests(
    stream: Stream, shelf: Shelf, tmp_path: Path
) -> None:
    serving = gateway(stream, shelf, Routes(V1, V2), tmp_path)

    serving.prepare()
    loaded = list(shelf.asked)
    serving.serve(100, APRIL + timedelta(days=1))

    assert len(loaded) == 4
    assert shelf.asked == loaded


def test_bytes_that_are_not_those_of_the_traffic_are_not_served(
    stream: Stream, shelf: Shelf, tmp_path: Path
) -> None:
    routes = Routes(V1)
    serving = gateway(stream, shelf, routes, tmp_path)
    routes.change(V2)

    with pytest.raises(AssayError, match="not the one in the traffic"):
        serving.prepare()


def test_a_version_taken_out_answers_no_more(stream: Stream, shelf: Shelf, tmp_path: Path) -> None:
    routes = Routes(V1, V2)
    serving = gateway(stream, shelf, routes, tmp_path)
    serving.serve(100, APRIL + timedelta(days=1))

    routes.change(at(V1, shelf))
    serving.serve(100, APRIL + timedelta(days=1))

    status = serving.status(waiting=False)
    assert status.answered("v2") == 10
    assert status.after("v2") == 100


def test_each_version_reports_its_own_requests(
    stream: Stream, shelf: Shelf, tmp_path: Path
) -> None:
    serving = gateway(stream, shelf, Routes(V1, V2), tmp_path)
    serving.serve(100, APRIL + timedelta(days=1))

    reports = serving.report(APRIL, 1.0)

    assert {report.model_id: report.num_requests for report in reports} == {"v1": 90, "v2": 10}
    assert serving.report(APRIL, 1.0) == []


def test_the_highest_drift_is_remembered(stream: Stream, shelf: Shelf, tmp_path: Path) -> None:
    serving = gateway(stream, shelf, Routes(V1), tmp_path)
    serving.serve(ROWS, APRIL + timedelta(days=1))
    serving.report(APRIL, 1.0)

    assert set(serving.status(waiting=False).highest_drift) == {"v1"}


def test_the_last_order_is_in_force(tmp_path: Path) -> None:
    first, last = (Order(APRIL + timedelta(days=day), 10.0) for day in (1, 2))
    orders = Orders(io.StringIO(f"{first.line()}\n{last.line()}\n"))

    orders.start()
    orders.join()

    assert orders.current == last
    assert orders.ended


def test_serving_ends_with_its_orders(stream: Stream, shelf: Shelf, tmp_path: Path) -> None:
    serving = gateway(stream, shelf, Routes(V1), tmp_path)
    orders = Orders(io.StringIO())
    orders.start()
    orders.join()

    run(serving, orders, lambda snapshots: None)

    assert serving.place == 0
