"""What judging costs over the database: a rollback-check in a large table, and beat's tick."""

from __future__ import annotations

import itertools
import os
import time
from datetime import UTC, datetime, timedelta

import psycopg

from benchmarks import serving
from benchmarks.crowds import COUNTING, Http, Step, place_of, sql, subject_of
from benchmarks.snapshots import COLUMNS
from tests.running import Running, run_assay

ROWS = [int(rows) for rows in os.environ.get("ASSAY_BENCH_ROWS", "1000000,10000000").split(",")]
SERVING = int(os.environ.get("ASSAY_BENCH_SERVING", "1000"))  # versions, in beat's tick
CHECKS = 1000
VERSIONS = 100  # that the big table's rows are spread over
REPORTS_EVERY = 10  # seconds, in beat's tick
SIX_HOURS = 6 * 3600  # seconds; the widest window of the evidence rule
PAGE = 500_000  # rows written at once while the table is filled

FILL = f"""
insert into memory_model_performance ({COLUMNS})
select v.id, v.model_id, v.version, %s::timestamptz - make_interval(secs => n), '', 1000,
    0.01 + 0.01 * (n %% 7), 0.05, 0.05, 40, 90, 120, 100, null, null
from registry_modelversion v, generate_series(%s::int, %s::int, %s::int) as n
where starts_with(v.model_id, %s::text)
"""
LONG_SINCE = b"""
update registry_modelversion set stage_entered_at = now() - interval '30 days'
where starts_with(model_id, %s)
"""
WINDOW = b"""
select sum(num_requests), sum(num_requests * error_rate), sum(num_requests * ood_rate),
    sum(num_requests * input_drift_score), max(timestamp)
from memory_model_performance
where version_id = %s and timestamp > now() - interval '10 minutes' and num_requests > 0
"""


def main() -> None:
    """Print each beside its limit; sizes by ASSAY_BENCH_ROWS and ASSAY_BENCH_SERVING."""
    with run_assay(ASSAY_THROTTLE_REQUESTS=COUNTING) as assay:
        print(f"\nchecks: {os.cpu_count()} cores, shared by server, database and client")
        serving.prepare(assay, "canaries", "check_", str(VERSIONS))
        _checks(assay)
        serving.prepare(assay, "canaries", "serving_", str(SERVING))
        _tick(assay)


def _checks(assay: Running) -> None:
    """One client asks for the verdicts of versions in turn; the limit only adds their rows up."""
    filled = 0
    for rows in ROWS:
        _fill(assay, "check_", (filled // VERSIONS, rows // VERSIONS, 1), VERSIONS)
        filled = rows
        print(f"  rollback-check in {rows:>10,} rows", end="")
        for name, way in (("HTTP", ask_check(assay)), ("SQL", add_window(assay))):
            p50, p99 = _times(way)
            print(f"   {name} p50 {p50:6.2f} p99 {p99:6.2f} ms", end="")
        print(flush=True)


def ask_check(assay: Running) -> Step:
    http, turns = Http(place_of(assay)), itertools.cycle(range(VERSIONS))
    return lambda: http.ask("GET", f"models/check_{next(turns)}/rollback-check")


def add_window(assay: Running) -> Step:
    session = sql(place_of(assay))
    turns = itertools.cycle(subject_of(session, f"check_{n}")[0] for n in range(VERSIONS))
    return lambda: session.execute(WINDOW, [next(turns)]).fetchall()


def _tick(assay: Running) -> None:
    _fill(assay, "serving_", (0, SIX_HOURS, REPORTS_EVERY), SERVING)
    serving.prepare(assay, "tick")


def _fill(assay: Running, prefix: str, seconds: tuple[int, int, int], versions: int) -> None:
    """Reports of each version, back from now, added up by the minute as if they had come in time.

    Args:
        seconds: From how long ago, until how long ago, and from one to the next.
        versions: How many have names that begin so.
    """
    first, last, every = seconds
    now, step = datetime.now(UTC), every * max(1, PAGE // versions)
    began, written = time.perf_counter(), 0
    with psycopg.connect(assay.database_url("assay_migrator"), autocommit=True) as owner:
        owner.execute(LONG_SINCE, [prefix])
        for day in range(last // 86_400 + 2):  # partitions come before their rows
            at = (now - timedelta(days=day)).date()
            owner.execute("select ensure_snapshot_partition(%s)", [at])
        for begin in range(first, last, step):
            facts = [now, begin, min(begin + step, last) - 1, every, prefix]
            written += owner.execute(FILL.encode(), facts).rowcount
            passed = time.perf_counter() - began
            print(f"\r  {written:,} rows written in {passed:.0f} s", end="", flush=True)
        owner.execute("vacuum analyze memory_model_performance")
    serving.prepare(assay, "roll-up")
    print(f", added up after {time.perf_counter() - began:.0f} s", flush=True)


def _timed(step: Step) -> float:
    began = time.perf_counter()
    step()
    return 1000 * (time.perf_counter() - began)


def _times(step: Step) -> tuple[float, float]:
    took = [_timed(step) for _ in range(CHECKS)]
    took = sorted(took[CHECKS // 10 :])  # the first make connections, plans and caches
    return took[len(took) // 2], took[int(0.99 * (len(took) - 1))]
