"""What a poll of a traffic document costs, beside the same server saying that it lives."""

from __future__ import annotations

import http.client
import os
from pathlib import Path

from benchmarks.crowds import COUNTING, Client, Crowd, Pace, Place, Step, place_of
from tests.running import Running, run_assay

CROWD = 8  # clients at once
SECONDS = 5.0  # of each question
TICK = os.sysconf("SC_CLK_TCK")  # of a second, in /proc
DOCUMENT = "/api/model-registry/families/Bench/traffic"
SERVE = """
from django.contrib.auth.models import User
from registry import attestations, lifecycle, registration
from registry.models import DeploymentStage as Stage
for number, stages in enumerate([("canary", "production"), ("canary",)]):
    entry = registration.Entry(
        model_id=f"bench-{number}", name="Bench", version=f"{number}", framework="pytorch",
        model_type="ranking", owner="bench", team="bench")
    version = registration.register(entry, registrant=User.objects.get(username="local"))
    lifecycle.move(version, to=Stage.SANDBOX, actor="user:1")
    for stage in stages:
        proof = attestations.write(
            version, Stage(stage), subject_digest="d" * 64, approved_by=["user:1"], checks={})
        lifecycle.move(version, to=Stage(stage), actor="user:1", attestation=proof)
"""


class Caller:
    """A connection to the product, kept alive, that asks one thing again and again."""

    def __init__(self, place: Place, path: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=30)
        self.path = path
        self.headers = {"Authorization": f"Bearer {place.token}"} if path == DOCUMENT else {}

    def ask(self, status: int) -> str:
        """The answer's tag; the answer must have this status."""
        self.connection.request("GET", self.path, headers=self.headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status != status:
            raise AssertionError(f"{self.path}: {answer.status} {said.decode()}")
        return answer.getheader("ETag", "")


def new(place: Place) -> Step:
    caller = Caller(place, DOCUMENT)
    return lambda: caller.ask(200)


def unchanged(place: Place) -> Step:
    caller = Caller(place, DOCUMENT)
    caller.headers["If-None-Match"] = caller.ask(200)
    return lambda: caller.ask(304)


def alive(place: Place) -> Step:
    caller = Caller(place, "/healthz")
    return lambda: caller.ask(200)


CASES: dict[str, Client] = {
    "traffic, unchanged (304)": unchanged,
    "traffic, whole (200)": new,
    "/healthz, a constant": alive,
}


def main() -> None:
    """Print polls a second, and how many one core of the web processes answers in a second."""
    with run_assay(ASSAY_THROTTLE_REQUESTS=COUNTING) as assay:
        assay.manage("shell", "--no-imports", "-c", SERVE)
        crowd = Crowd([place_of(assay, client) for client in range(CROWD)])
        print(f"\ntraffic documents, {CROWD} clients on {os.cpu_count()} cores with all servers")
        print(f"  {'':26s}{'polls':>10s} {'p50 ms':>8s} {'p99 ms':>8s} {'a core of web':>15s}")
        for name, client in CASES.items():
            before = _seconds_of_web(assay)
            pace = crowd.pace(client, SECONDS)
            _line(name, pace, _seconds_of_web(assay) - before)
        crowd.disperse()


def _seconds_of_web(assay: Running) -> float:
    """The processor time of this product's web processes so far."""
    port = f"\0{assay.port}\0".encode()
    return sum(
        _seconds(process)
        for process in Path("/proc").glob("[0-9]*")
        if b"granian" in _command(process) and port in _command(process)
    )


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def _seconds(process: Path) -> float:
    """User and system time, proc(5); threads included, children not."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _line(name: str, pace: Pace, seconds: float) -> None:
    of_a_core = pace.rate * SECONDS / seconds
    print(
        f"  {name:26s}{pace.rate:8.0f}/s {pace.p50_ms:8.2f} {pace.p99_ms:8.2f} {of_a_core:13.0f}/s",
        flush=True,
    )
