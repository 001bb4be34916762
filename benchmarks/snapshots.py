"""What snapshots cost over the database: many at once, one by one, a check, and beat's tick."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from benchmarks.crowds import Crowd, Http, Pace, Place, Step, sql
from tests.running import Running, run_assay

COUNTING = "1000000/1"  # requests are counted as they always are, and none is refused
BATCH = 10_000  # snapshots of one report
BATCHES = int(os.environ.get("ASSAY_BENCH_BATCHES", "20"))
SECONDS = float(os.environ.get("ASSAY_BENCH_SECONDS", "5"))  # of each crowd, each way
ROWS = [int(rows) for rows in os.environ.get("ASSAY_BENCH_ROWS", "1000000,10000000").split(",")]
SERVING = int(os.environ.get("ASSAY_BENCH_SERVING", "1000"))  # versions, in beat's tick
CROWDS = (1, 8)
CHECKS = 300
VERSIONS = 100  # that the big table's rows are spread over
REPORTS_EVERY = 10  # seconds, in beat's tick
PAGE = 500_000  # rows written at once while the table is filled

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
FILL = f"""
insert into memory_model_performance ({COLUMNS})
select v.id, v.model_id, v.version, %s::timestamptz - make_interval(secs => n), '', 1000, 0.01, 0.05, 0.05,
    40, 90, 120, 100, null, null
from registry_modelversion v, generate_series(%s::int, %s::int, %s::int) as n
where starts_with(v.model_id, %s::text)
"""
WINDOW = b"""
select sum(num_requests), sum(num_requests * error_rate), sum(num_requests * ood_rate),
    sum(num_requests * input_drift_score), max(timestamp)
from memory_model_performance
where version_id = %s and timestamp > now() - interval '10 minutes' and num_requests > 0
"""


def main() -> None:
    """Print each beside its limit; sizes by ASSAY_BENCH_BATCHES, _SECONDS, _ROWS and _SERVING."""
    with run_assay(ASSAY_THROTTLE_REQUESTS=COUNTING) as assay:
        _serving(assay, "bulk", "2")
        print(f"\nsnapshots: {os.cpu_count()} cores, shared by server, database and clients")
        _bulk(assay)
        _serving(assay, "single", "1")
        _one_by_one(assay)
        _serving(assay, "check", str(VERSIONS))
        _checks(assay)
        _serving(assay, "serving", str(SERVING))
        _tick(assay)


def _bulk(assay: Running) -> None:
    """Each way writes batches of its own version into the same partitions, in turn."""
    now = datetime.now(UTC).replace(microsecond=0)
    rates: dict[str, list[float]] = {"HTTP": [], "COPY": []}
    http, session = Http(_place(assay)), sql(_place(assay))
    subject = _subject(session, "bulk_1")
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
        places = [_place(assay, client) for client in range(size)]
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
    source, subject = f"sql-{place.client}-{time.time_ns()}", _subject(session, "bulk_1")
    return lambda: session.execute(ONE, [*subject, next(moments), source, *FIGURES])


def _checks(assay: Running) -> None:
    """One client asks for the verdicts of versions in turn; the limit only adds their rows up."""
    filled = 0
    for rows in ROWS:
        with psycopg.connect(assay.database_url("assay_migrator"), autocommit=True) as owner:
            _fill(owner, filled // VERSIONS, rows // VERSIONS)
            owner.execute("vacuum analyze memory_model_performance")
        filled = rows
        print(f"  rollback-check in {rows:>10,} rows", end="")
        for name, way in (("HTTP", ask_check(assay)), ("SQL", add_window(assay))):
            p50, p99 = _times(way)
            print(f"   {name} p50 {p50:6.2f} p99 {p99:6.2f} ms", end="")
        print(flush=True)


def ask_check(assay: Running) -> Step:
    http, turns = Http(_place(assay)), itertools.cycle(range(VERSIONS))
    return lambda: http.ask("GET", f"models/check_{next(turns)}/rollback-check")


def add_window(assay: Running) -> Step:
    session = sql(_place(assay))
    turns = itertools.cycle(_subject(session, f"check_{n}")[0] for n in range(VERSIONS))
    return lambda: session.execute(WINDOW, [next(turns)]).fetchall()


def _fill(owner: psycopg.Connection, first: int, last: int) -> None:
    """A row a second of each version, back from now; partitions come first."""
    now, step = datetime.now(UTC), PAGE // VERSIONS
    for day in range(last // 86_400 + 2):
        owner.execute("select ensure_snapshot_partition(%s)", [(now - timedelta(days=day)).date()])
    for begin in range(first, last, step):
        owner.execute(FILL.encode(), [now, begin, min(begin + step, last) - 1, 1, "check_"])


def _tick(assay: Running) -> None:
    with psycopg.connect(assay.database_url("assay_migrator"), autocommit=True) as owner:
        owner.execute(FILL.encode(), [datetime.now(UTC), 0, 600, REPORTS_EVERY, "serving_"])
        owner.execute("vacuum analyze memory_model_performance")
    _serving(assay, "tick")


def _serving(assay: Running, *asked: str) -> None:
    """In a process of its own, whose settings are the product's."""
    home = {"ASSAY_HOME": str(assay.home), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "benchmarks.serving", *asked]
    subprocess.run(command, env=os.environ | home, check=True)


def _timed(step: Step) -> float:
    began = time.perf_counter()
    step()
    return 1000 * (time.perf_counter() - began)


def _times(step: Step) -> tuple[float, float]:
    took = [_timed(step) for _ in range(CHECKS)]
    took = sorted(took[CHECKS // 10 :])  # the first make connections, plans and caches
    return took[len(took) // 2], took[int(0.99 * (len(took) - 1))]


def _moments() -> Iterator[datetime]:
    begin = datetime.now(UTC) - timedelta(hours=1)
    return (begin + timedelta(milliseconds=n) for n in itertools.count())


def _subject(session: psycopg.Connection, model_id: str) -> tuple:
    asked = "select id, model_id, version from registry_modelversion where model_id = %s"
    row = session.execute(asked, [model_id]).fetchone()
    if row is None:
        raise AssertionError(f"{model_id} is not registered")
    return row


def _place(assay: Running, client: int = 0) -> Place:
    return Place(
        assay.port, assay.token("bench", "serving"), assay.database_url("assay_app"), client
    )


def _told(pace: Pace) -> str:
    return f"{pace.rate:7,.0f}/s p50 {pace.p50_ms:6.2f} p99 {pace.p99_ms:6.2f} ms"
