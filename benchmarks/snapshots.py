"""What snapshots cost over the database: many at once, and one by one."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from benchmarks import serving
from benchmarks.crowds import (
    COUNTING,
    Crowd,
    Http,
    Pace,
    Place,
    Step,
    place_of,
    sql,
    subject_of,
)
from tests.running import Running, run_assay

BATCH = 10_000  # snapshots of one report
BATCHES = int(os.environ.get("ASSAY_BENCH_BATCHES", "20"))
SECONDS = float(os.environ.get("ASSAY_BENCH_SECONDS", "5"))  # of each crowd, each way
CROWDS = (1, 8)

COLUMNS = (
    "version_id, model_id, version, timestamp, source, num_requests, error_rate, ood_rate,"
    " input_drift_score, latency_p50_ms, latency_p95_ms, latency_p99_ms, requests_per_second,"
    " gpu_memory_mb, device"
)
TYPES = ("int8", "text", "text", "timestamptz", "text", "int4", *["float8"] * 8, "text")
COPY = f"copy memory_model_performance ({COLUMNS}) from stdin (format binary)".encode()
ONE = f"insert into memory_model_performance ({COLUMNS}) values ({', '.join(['%s'] * 15)})".encode()
FIGURES = (1000, 0.0123, 0.05, 0.03, 40.5, 91.25, 120.5, 100.5, 1024.0, "cuda:0")
NAMES = [name.strip() for name in COLUMNS.split(",")][3:]


def main() -> None:
    """Print each beside its limit; sizes by ASSAY_BENCH_BATCHES and ASSAY_BENCH_SECONDS."""
    with run_assay(ASSAY_THROTTLE_REQUESTS=COUNTING) as assay:
        serving.prepare(assay, "canaries", "bulk_", "2")
        print(f"\nsnapshots: {os.cpu_count()} cores, shared by server, database and clients")
        _bulk(assay)
        serving.prepare(assay, "canaries", "single_", "1")
        _one_by_one(assay)


def _bulk(assay: Running) -> None:
    """Each way writes batches of its own version into the same partitions, in turn."""
    now = datetime.now(UTC).replace(microsecond=0)
    rates: dict[str, list[float]] = {"HTTP": [], "COPY": []}
    http, session = Http(place_of(assay)), sql(place_of(assay))
    subject = subject_of(session, "bulk_1")
    for number in range(BATCHES + 1):
        rows = [(now - timedelta(seconds=i), f"replica-{number}", *FIGURES) for i in range(BATCH)]
        body = [dict(zip(NAMES, (row[0].isoformat(), *row[1:]), strict=True)) for row in rows]
        said = json.dumps(body).encode()
        began = time.perf_counter()
        http.send("POST", "models/bulk_0/performance", said)
        sent = time.perf_counter()
        _copy(session, subject, rows)
        rates["HTTP"].append(BATCH / (sent - began))
        rates["COPY"].append(BATCH / (time.perf_counter() - sent))
    mean = {name: sum(each[1:]) / BATCHES for name, each in rates.items()}  # the first only warms
    print(f"  bulk, {BATCH:,} in a report        HTTP {mean['HTTP']:9,.0f} rows/s", end="   ")
    print(f"COPY {mean['COPY']:9,.0f} rows/s   HTTP ÷ COPY {mean['HTTP'] / mean['COPY']:5.2f}")


def _copy(session: psycopg.Connection, subject: tuple, rows: list[tuple]) -> None:
    with session.transaction(), session.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(subject + row)


def _one_by_one(assay: Running) -> None:
    for size in CROWDS:
        places = [place_of(assay, client) for client in range(size)]
        crowd = Crowd(places)
        ours, limit = (crowd.pace(way, SECONDS) for way in (post_one, insert_one))
        crowd.disperse()
        print(f"  one by one, {size} at once          HTTP {_told(ours)}", end="   ")
        print(f"SQL {_told(limit)}   HTTP ÷ SQL {ours.rate / limit.rate:5.2f}", flush=True)


def post_one(place: Place) -> Step:
    http, moments = Http(place), _moments()
    source = f"http-{place.client}-{time.time_ns()}"

    def step() -> None:
        row = (next(moments).isoformat(), source, *FIGURES)
        http.ask("POST", "models/single_0/performance", dict(zip(NAMES, row, strict=True)))

    return step


def insert_one(place: Place) -> Step:
    session, moments = sql(place), _moments()
    source, subject = f"sql-{place.client}-{time.time_ns()}", subject_of(session, "bulk_1")
    return lambda: session.execute(ONE, [*subject, next(moments), source, *FIGURES])


def _moments() -> Iterator[datetime]:
    begin = datetime.now(UTC)
    return (begin + timedelta(milliseconds=n) for n in itertools.count())


def _told(pace: Pace) -> str:
    return f"{pace.rate:7,.0f}/s p50 {pace.p50_ms:6.2f} p99 {pace.p99_ms:6.2f} ms"
