"""How long from a deciding snapshot to the committed rollback: by event, and by beat alone."""

from __future__ import annotations

import itertools
import json
import os
import random
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event

import psycopg

from benchmarks import serving
from benchmarks.crowds import COUNTING, Http, Place, place_of
from tests.running import Running, run_assay

ROLLBACKS = int(os.environ.get("ASSAY_BENCH_ROLLBACKS", "200"))  # each way
BEAT_SECONDS = 5.0
PATIENCE = 60.0  # seconds
LOOK_EVERY = 0.002  # seconds; whoever looks takes time of the same cores
ARRIVING = 5_000  # snapshots a second, beside
REPORT = 500  # of them in one
FED = 50  # versions that report them, in turn
ARRIVING_SINCE = 10.0  # seconds, before anything is measured


def main() -> None:
    """Roll 200 canaries back by each way and print median and p99."""
    with run_assay(ASSAY_LOCAL_ACCESS="", ASSAY_THROTTLE_REQUESTS=COUNTING) as assay:
        idle = _by_event(assay, _made(assay, "idle"))
        with _arriving(assay) as arrived:
            busy = _by_event(assay, _made(assay, "busy"))
        by_beat = _by_beat(assay, _made(assay, "beat"))
    print(f"\nsnapshot accepted → rollback committed, {ROLLBACKS} rollbacks each way")
    _line("event path (check on ingest)", idle)
    _line(f"the same beside {arrived[0]:,.0f} snapshots/s", busy)
    _line(f"beat alone (every {BEAT_SECONDS:g} s)", by_beat)
    ratio = statistics.median(by_beat) / statistics.median(idle)
    print(f"  {'beat ÷ event, medians':32s} {ratio:9.1f} ×")


def _made(assay: Running, prefix: str) -> list[str]:
    """Canaries, each of a family of its own."""
    serving.prepare(assay, "canaries", f"{prefix}_", str(ROLLBACKS))
    return [f"{prefix}_{number}" for number in range(ROLLBACKS)]


@contextmanager
def _arriving(assay: Running) -> Iterator[list[float]]:
    """Healthy snapshots come in, in reports of many; afterwards, how many a second there were."""
    serving.prepare(assay, "canaries", "fed_", str(FED))
    together = get_context("spawn")
    stop, accepted = together.Event(), together.Value("q", 0)
    feeder = together.Process(target=feed, args=(place_of(assay), stop, accepted), daemon=True)
    feeder.start()
    time.sleep(ARRIVING_SINCE)
    began, before, rate = time.perf_counter(), accepted.value, [0.0]
    try:
        yield rate
    finally:
        rate[0] = (accepted.value - before) / (time.perf_counter() - began)
        stop.set()
        feeder.join(PATIENCE)


def feed(place: Place, stop: Event, accepted: Synchronized[int]) -> None:
    """Report for one version after another, at the pace of ARRIVING; what is late is made good."""
    http, due = Http(place), time.perf_counter()
    for turn in itertools.count():
        if stop.is_set():
            return
        now = datetime.now(UTC)
        rows = [
            {
                "timestamp": (now - timedelta(milliseconds=10 * n)).isoformat(),
                "num_requests": 100,
                "error_rate": 0.01,
                "latency_p95_ms": 90.0,
                "ood_rate": 0.05,
            }
            for n in range(REPORT)
        ]
        http.ask("POST", f"models/fed_{turn % FED}/performance", rows)
        accepted.value += REPORT
        due += REPORT / ARRIVING
        time.sleep(max(0.0, due - time.perf_counter()))


def _by_event(assay: Running, models: Sequence[str]) -> list[float]:
    """One after another over HTTP; the clock runs from the 201 to the stage another session sees."""
    http, took = Http(place_of(assay)), []
    with psycopg.connect(assay.database_url("assay_app"), autocommit=True) as database:
        for model_id in models:
            at = datetime.now(UTC).isoformat()
            bad = {"timestamp": at, "num_requests": 1000, "error_rate": 0.5}
            http.send("POST", f"models/{model_id}/performance", json.dumps(bad).encode())
            committed = time.perf_counter()
            _wait(database, model_id)
            took.append(time.perf_counter() - committed)
    return took


def _by_beat(assay: Running, models: Sequence[str]) -> list[float]:
    """Written straight to the table, so that only beat can find them, at moments spread evenly."""
    took: list[float] = []
    threads = [
        threading.Thread(target=_insert_and_wait, args=(assay, chunk, took))
        for chunk in (models[i::8] for i in range(8))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def _insert_and_wait(assay: Running, models: Sequence[str], took: list[float]) -> None:
    with psycopg.connect(assay.database_url("assay_app"), autocommit=True) as database:
        for model_id in models:
            time.sleep(random.uniform(0, BEAT_SECONDS))
            database.execute(
                "insert into memory_model_performance"
                " (version_id, model_id, version, timestamp, source, num_requests, error_rate)"
                " select id, model_id, version, now(), '', 1000, 0.5"
                " from registry_modelversion where model_id = %s",
                [model_id],
            )
            committed = time.perf_counter()
            _wait(database, model_id)
            took.append(time.perf_counter() - committed)


def _wait(database: psycopg.Connection, model_id: str) -> None:
    deadline = time.perf_counter() + PATIENCE
    asked = "select stage from registry_modelversion where model_id = %s"
    while database.execute(asked, [model_id]).fetchone() != ("rollback",):
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{model_id} was not rolled back within {PATIENCE:g} s")
        time.sleep(LOOK_EVERY)


def _line(name: str, seconds: Sequence[float]) -> None:
    ordered = sorted(1000 * s for s in seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    print(f"  {name:32s} median {statistics.median(ordered):9.1f} ms   p99 {p99:9.1f} ms")
