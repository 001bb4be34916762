"""Request ids and metrics through real processes: web, broker, workers."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from typing import Any

from tests.people import People, now
from tests.running import Running

CAUSE = "the-post-that-did-it"
WITHIN = 30.0  # seconds


def test_what_workers_say_carries_the_id_of_the_post_that_caused_it(people: People) -> None:
    model_id = people.in_canary()

    post_degraded(people, model_id)

    deadline, loggers = time.monotonic() + WITHIN, set[str]()
    while not {"assay.access", "assay.incidents"} <= loggers:
        assert time.monotonic() < deadline, f"only {loggers} know of it"
        loggers = {line["logger"] for line in said(people.running) if line["request_id"] == CAUSE}
        time.sleep(0.2)


def test_either_web_process_answers_for_both(running: Running) -> None:
    for _ in range(40):
        urllib.request.urlopen(f"{running.url}/healthz").close()

    counted = [healthz_count(running) for _ in range(10)]

    # Asked anew over a connection of its own each time, so both processes answered some.
    assert len(set(counted)) == 1
    assert counted[0] >= 40


def post_degraded(people: People, model_id: str) -> None:
    """Report a window in which half the requests failed, under the id CAUSE."""
    snapshot = {"timestamp": now(), "num_requests": 1000, "error_rate": 0.5}
    request = urllib.request.Request(
        f"{people.running.url}/api/model-registry/models/{model_id}/performance",
        data=json.dumps(snapshot).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {people.serving_token(model_id)}",
            "X-Request-ID": CAUSE,
        },
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["X-Request-ID"] == CAUSE


def said(running: Running) -> list[dict[str, Any]]:
    """Every JSON line that any process has logged."""
    text = "".join(
        file.read_text(errors="replace") for file in (running.home / "log").glob("*.log")
    )
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"time"')]


def healthz_count(running: Running) -> float:
    with urllib.request.urlopen(f"{running.url}/metrics") as answer:
        text = answer.read().decode()
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if re.match(r'assay_http_requests_total\{.*route="healthz"', line)
    )
