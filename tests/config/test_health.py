"""/healthz and /readyz say what works and what does not."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.test import Client

from config import alive, health, heartbeats, tasks


def test_healthz_asks_nobody_else(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.fixture
def no_ticks() -> None:
    """A broker that no worker has taken a tick from."""
    for queue in heartbeats.QUEUES:
        heartbeats._client().delete(heartbeats.key(queue))


@pytest.mark.django_db
@pytest.mark.usefixtures("no_ticks")
def test_readyz_names_each_thing_that_is_missing(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "ok",
        "migrations": "ok",
        "broker": "ok",
        "worker": "no worker of control and outside and webhooks has taken a tick lately",
        "beat": "no tick of beat has been worked on yet",
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("no_ticks")
def test_one_dead_worker_is_told_by_its_queue(client: Client) -> None:
    tasks.note_beat("control")

    checks = client.get("/readyz").json()["checks"]

    assert checks["beat"] == "ok"
    assert checks["worker"] == "no worker of outside and webhooks has taken a tick lately"


@pytest.mark.django_db
@pytest.mark.usefixtures("no_ticks")
def test_with_every_queue_at_work_it_is_ready_and_a_late_tick_is_told(client: Client) -> None:
    for queue in heartbeats.QUEUES:
        tasks.note_beat(queue)
    ready = client.get("/readyz")
    for queue in heartbeats.QUEUES:
        heartbeats._client().set(heartbeats.key(queue), "1000")

    assert ready.status_code == 200
    assert "s old" in (health.CHECKS["beat"]() or "")


@pytest.mark.django_db
@pytest.mark.usefixtures("no_ticks")
def test_a_container_is_well_whose_queue_took_a_tick_lately() -> None:
    with pytest.raises(SystemExit, match="No tick of beat has been worked on lately"):
        alive.check([])
    tasks.note_beat("control")

    alive.check([])
    alive.check(["control"])
    with pytest.raises(SystemExit, match="No worker of outside has taken a tick lately"):
        alive.check(["control", "outside"])


def test_a_queue_without_ticks_cannot_be_asked_for() -> None:
    with pytest.raises(SystemExit, match="ticks for control, outside, webhooks, not for cpu"):
        alive.check(["cpu"])


def test_a_broker_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        return redis.Redis(unix_socket_path="/nowhere/valkey.sock")

    monkeypatch.setattr(heartbeats, "_client", away)

    assert "does not answer" in (health.CHECKS["broker"]() or "")
    assert "does not answer" in (health.CHECKS["beat"]() or "")
    with pytest.raises(SystemExit, match="The broker does not answer"):
        alive.check([])
