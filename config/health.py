"""/healthz: this process lives. /readyz: everything it needs works."""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from config import heartbeats


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers; asks nobody else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Each thing the product needs, with what is wrong with it; 503 where anything is."""
    found = {name: check() for name, check in CHECKS.items()}
    ready = all(problem is None for problem in found.values())
    checks = {name: problem or "ok" for name, problem in found.items()}
    body = {"status": "ok" if ready else "not ready", "checks": checks}
    return JsonResponse(body, status=200 if ready else 503)


def _database() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except Error as error:
        return f"the database does not answer: {error}"
    return None


def _migrations() -> str | None:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return f"the database does not answer: {error}"
    return f"{len(pending)} migrations are not applied; run `make up`" if pending else None


def _broker() -> str | None:
    try:
        heartbeats.lags()
    except redis.RedisError as error:
        return f"the broker does not answer: {error}"
    return None


def _worker() -> str | None:
    """Every queue that the product cannot do without has a worker that takes its ticks."""
    try:
        silent = [name for name, lag in heartbeats.lags().items() if heartbeats.is_late(lag)]
    except redis.RedisError as error:
        return f"the broker does not answer: {error}"
    return f"no worker of {' and '.join(silent)} has taken a tick lately" if silent else None


def _beat() -> str | None:
    """Some worker has taken a tick lately, so there was one to take."""
    try:
        known = [lag for lag in heartbeats.lags().values() if lag is not None]
    except redis.RedisError as error:
        return f"the broker does not answer: {error}"
    if not known:
        return "no tick of beat has been worked on yet"
    return f"the last tick is {min(known):.0f} s old" if heartbeats.is_late(min(known)) else None


CHECKS: dict[str, Callable[[], str | None]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "worker": _worker,
    "beat": _beat,
}
