"""/healthz and /readyz say what works and what does not."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.test import Client

from config import health, heartbeats


def test_healthz_asks_nobody_else(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_names_each_thing_that_is_missing(client: Client) -> None:
    answer = client.get("/readyz")

    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert set(checks) == {"database", "migrations", "broker", "worker", "beat"}
    assert (checks["database"], checks["migrations"], checks["broker"]) == ("ok", "ok", "ok")
    assert checks["worker"] == "no worker answers"


@pytest.mark.django_db
def test_a_late_tick_is_told(client: Client) -> None:
    heartbeats.beat()
    on_time = health.CHECKS["beat"]()
    heartbeats._client().set(heartbeats.KEY, "1000")

    assert on_time is None
    assert "s old" in (health.CHECKS["beat"]() or "")


def test_a_broker_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        return redis.Redis(unix_socket_path="/nowhere/valkey.sock")

    monkeypatch.setattr(heartbeats, "_client", away)

    assert "does not answer" in (health.CHECKS["broker"]() or "")
    assert "does not answer" in (health.CHECKS["beat"]() or "")
