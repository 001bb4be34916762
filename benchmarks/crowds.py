"""Crowds of clients: processes of their own, who ask all at once and time each answer."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

import psycopg

from tests.running import Running

COUNTING = "1000000/1"  # requests are counted as they always are, and none is refused
PATIENCE = 60.0  # seconds that a client waits for the others
WARM = 10  # answers of each client that are not counted: connections, plans and caches are made


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ask, by which right, and which client of how many asks."""

    port: int
    token: str
    database: str
    client: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How a crowd was served."""

    rate: float  # answers a second
    p50_ms: float
    p99_ms: float


def place_of(assay: Running, client: int = 0) -> Place:
    """An operator's, who may report on every model."""
    token, database = assay.token("bench", "operator"), assay.database_url("assay_app")
    return Place(assay.port, token, database, client)


Step = Callable[[], object]  # one question and its answer
Client = Callable[[Place], Step]  # connects, and tells what to do again and again


class Http:
    """A connection to the product, kept alive."""

    def __init__(self, place: Place) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=30)
        self.headers = {
            "Authorization": f"Bearer {place.token}",
            "Content-Type": "application/json",
        }

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The answer to one call below /api/model-registry/, which must succeed."""
        return self.send(method, path, None if body is None else json.dumps(body).encode())

    def send(self, method: str, path: str, said: bytes | None) -> bytes:
        """The same with a body that is JSON already."""
        self.connection.request(method, f"/api/model-registry/{path}", said, self.headers)
        answer = self.connection.getresponse()
        read = answer.read()
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {read.decode()}")
        return read


def sql(place: Place) -> psycopg.Connection:
    """A connection to the database as the application has it; each statement is prepared."""
    session = psycopg.connect(place.database, autocommit=True)
    session.prepare_threshold = 0
    return session


def subject_of(session: psycopg.Connection, model_id: str) -> tuple[int, str, str]:
    """What the rows of a version begin with."""
    asked = b"select id, model_id, version from registry_modelversion where model_id = %s"
    row = session.execute(asked, [model_id]).fetchone()
    if row is None:
        raise AssertionError(f"{model_id} is not registered")
    pk, found, version = row
    return pk, found, version


class Crowd:
    """So many clients, each in a process of its own."""

    def __init__(self, places: Sequence[Place]) -> None:
        together = get_context("spawn")
        meeting = together.Barrier(len(places))
        self.places = places
        self.pool = ProcessPoolExecutor(
            len(places), mp_context=together, initializer=_meet_at, initargs=(meeting,)
        )

    def pace(self, client: Client, seconds: float) -> Pace:
        """Let all ask for some seconds, each the next thing once it has its answer."""
        crowd = [self.pool.submit(_times, client, place, seconds) for place in self.places]
        took = sorted(1000 * each for waiting in crowd for each in waiting.result())
        p50, p99 = (took[int(share * (len(took) - 1))] for share in (0.5, 0.99))
        return Pace(len(took) / seconds, p50, p99)

    def disperse(self) -> None:
        """End the clients."""
        self.pool.shutdown()


_meeting: list[Barrier] = []  # of this process and the others of its crowd


def _meet_at(meeting: Barrier) -> None:
    _meeting.append(meeting)


def _times(client: Client, place: Place, seconds: float) -> list[float]:
    """What each answer took that came in time, in seconds, from when all were ready."""
    step = client(place)
    for _ in range(WARM):
        step()
    _meeting[0].wait(PATIENCE)
    took: list[float] = []
    ends = time.perf_counter() + seconds
    while True:
        began = time.perf_counter()
        step()
        done = time.perf_counter()
        if done > ends:
            return took
        took.append(done - began)
