"""How long from a deciding snapshot to the committed rollback: by event, and by beat alone."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import django
import psycopg

from tests.running import Running, run_assay

ROLLBACKS = 200
BEAT_SECONDS = 5.0
PATIENCE = 60.0  # seconds


def main() -> None:
    """Roll 200 canaries back by each way and print median and p99."""
    with run_assay(ASSAY_LOCAL_ACCESS="") as assay:
        by_event = _by_event(assay, _made(assay, "event"))
        by_beat = _by_beat(assay, _made(assay, "beat"))
    print(f"\nsnapshot committed → rollback committed, {ROLLBACKS} rollbacks each way")
    _line("event path (check on ingest)", by_event)
    _line(f"beat alone (every {BEAT_SECONDS:g} s)", by_beat)
    ratio = statistics.median(by_beat) / statistics.median(by_event)
    print(f"  {'beat ÷ event, medians':32s} {ratio:9.1f} ×")


def _made(assay: Running, prefix: str) -> list[str]:
    """Canaries made by a process of the running product's settings; this one has read others."""
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.rollbacks", prefix],
        env=assay.environment | settings,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.split()


def _canaries(prefix: str) -> Iterator[str]:
    """Put versions into canary, each of its own family, by the verbs that write proof and moves."""
    from django.contrib.auth.models import User

    from registry import attestations, lifecycle, registration
    from registry.models import DeploymentStage

    local = User.objects.get(username="local")
    for number in range(ROLLBACKS):
        version = registration.register(
            registration.Entry(
                model_id=f"{prefix}_{number}",
                name=f"{prefix} {number}",
                version="1",
                framework="pytorch",
                model_type="classification",
                owner="bench",
                team="bench",
            ),
            registrant=local,
        )
        lifecycle.move(version, to=DeploymentStage.SANDBOX, actor="system:bench")
        proof = attestations.write(
            version, DeploymentStage.CANARY, subject_digest="0" * 64, approved_by=[], checks={}
        )
        lifecycle.move(
            version,
            to=DeploymentStage.CANARY,
            actor="system:bench",
            attestation=proof,
            canary_percentage=Decimal(10),
        )
        yield version.model_id


def _by_event(assay: Running, models: Sequence[str]) -> list[float]:
    """One after another over HTTP; the clock runs from the 201 to the stage another session sees."""
    token = assay.token("bench", "serving")
    took = []
    with psycopg.connect(assay.database_url("assay_app"), autocommit=True) as database:
        for model_id in models:
            _post(assay, token, model_id)
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
        time.sleep(0.0005)


def _post(assay: Running, token: str, model_id: str) -> None:
    snapshot = {
        "timestamp": datetime.now(UTC).isoformat(),
        "num_requests": 1000,
        "error_rate": 0.5,
    }
    request = urllib.request.Request(
        f"{assay.url}/api/model-registry/models/{model_id}/performance",
        data=json.dumps(snapshot).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def _line(name: str, seconds: Sequence[float]) -> None:
    ordered = sorted(1000 * s for s in seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    print(f"  {name:32s} median {statistics.median(ordered):9.1f} ms   p99 {p99:9.1f} ms")


if __name__ == "__main__":
    django.setup()
    print("\n".join(_canaries(sys.argv[1])))
