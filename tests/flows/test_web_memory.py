"""A web process stays small, whatever it is asked, and never loads what evaluates models."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import processes
from tests.config.supervised import children
from tests.people import People
from tests.processes import needs_proc
from tests.running import Running, run_assay

MOST_MB = 200
ROUNDS = 12  # over connections of their own, so that both processes answer of each kind
LARGE = ("/api/schema/", "/metrics", "/readyz", "/models/", "/statistics/", "/incidents/")


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """A product that has done nothing else, so that what it takes is what this asks of it."""
    with run_assay() as fresh:
        yield fresh


@needs_proc
def test_a_web_process_takes_under_200_mb_and_maps_no_torch(running: Running) -> None:
    people = People(running)
    model_id = people.in_canary()

    with ThreadPoolExecutor(4) as callers:
        pages = callers.map(_read, [f"{running.url}{path}" for path in LARGE * ROUNDS])
        accepted = callers.map(lambda number: _report(people, model_id, number), range(ROUNDS))

        assert all(pages)
        assert list(accepted) == [10_000] * ROUNDS
    webs = children(processes.find(running, "granian"))
    assert len(webs) == 2
    assert max(_resident_mb(pid) for pid in webs) < MOST_MB
    assert not any("torch" in Path(f"/proc/{pid}/maps").read_text() for pid in webs)


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        said: bytes = answer.read()
        return said


def _report(people: People, model_id: str, number: int) -> int:
    """As many snapshots as may come at once; how many were new."""
    end = datetime.now(UTC)
    rows = [
        {
            "timestamp": (end - timedelta(seconds=ago)).isoformat(),
            "source": f"replica-{number}",
            "num_requests": 100,
            "error_rate": 0.01,
            "latency_p95_ms": 40.0,
        }
        for ago in range(10_000)
    ]
    receipt = people.ask("otto", "POST", f"models/{model_id}/performance", rows, expect=201)
    accepted: int = receipt["accepted"]
    return accepted


def _resident_mb(pid: int) -> float:
    """Shared pages included, proc(5)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has ended")
