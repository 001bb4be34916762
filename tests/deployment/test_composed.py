"""The composition at work, service by service, by its own commands, secrets and health checks."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import psycopg
import pytest
import redis

from tests.config.conftest import temporary_home
from tests.config.programs import within
from tests.config.supervised import supervised
from tests.deployment import compose
from tests.deployment.composed import Composed, composition
from tests.deployment.secret_files import make_secrets

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the composition is of Linux containers"
)
soak = pytest.mark.skipif(
    os.environ.get("ASSAY_SOAK") != "1",
    reason="starts a second PostgreSQL: run it with `make soak`",
)
SERVING = ["web", "control", "outside", "webhooks", "cpu", "beat"]


@pytest.fixture(scope="module")
def composed() -> Iterator[Composed]:
    """Everything that ``docker compose up`` starts, started in its order."""
    if os.environ.get("ASSAY_SOAK") != "1":
        pytest.skip("starts every service: run it with `make soak`")
    with temporary_home() as place:
        make_secrets(place)
        with composition(place) as composed:
            for name in ("roles", "migrate", *SERVING):
                composed.start(name)
            yield composed


def test_each_service_becomes_healthy_by_its_own_check(composed: Composed) -> None:
    for name in SERVING:
        composed.await_health(name)


def test_no_service_that_compose_starts_is_left_out(composed: Composed) -> None:
    started = {name for name, service in compose.ours().items() if "profiles" not in service}

    assert started == {"roles", "migrate", *SERVING}


def test_the_pages_come_with_what_they_need_and_need_a_login(composed: Composed) -> None:
    composed.await_health("web")

    for path in ("/static/assay/base.css", "/static/admin/css/base.css", "/login/"):
        assert status(composed, path) == 200
    assert status(composed, "/api/model-registry/models") == 401


def test_the_first_administrator_is_made_once_and_signs_in(composed: Composed) -> None:
    password = composed.manage("first_admin")

    assert len(password) == 16
    assert composed.manage("first_admin") == ""
    assert "The new password of admin is " in composed.manage("password")


def test_a_backup_is_taken(composed: Composed) -> None:
    composed.manage("issue_token", "ada", "--role", "trainer")

    said = composed.manage("backup", str(composed.place / "backups" / "assay.tar"))

    assert "holds 0 artifacts" in said
    assert (composed.place / "backups" / "assay.tar").stat().st_size > 10_000


@soak
def test_a_backup_is_restored_into_new_volumes(composed: Composed) -> None:
    composed.manage("issue_token", "grace", "--role", "trainer")
    file = str(composed.place / "backups" / "restored.tar")
    composed.manage("backup", file)

    with temporary_home() as place:
        make_secrets(place)
        with composition(place) as fresh:
            fresh.start("roles")
            said = fresh.manage("restore", file)
            fresh.start("migrate")

            assert "Restored into" in said
            assert "of grace is" in fresh.manage("password", "grace")


def test_no_server_lets_anybody_in_without_the_password(composed: Composed) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(composed.here("postgresql://assay_app@postgres:5432/assay"))
    with (
        redis.Redis(port=composed.ports["6379"]) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_a_worker_that_stops_becomes_unhealthy_by_its_check(composed: Composed) -> None:
    composed.await_health("cpu")

    composed.children["cpu"].ask_to_end()

    assert within(60, lambda: "No nodes replied" in str(composed.problem("cpu")))


def test_make_up_reads_the_same_files(composed: Composed) -> None:
    given = composed.environment(compose.services()["manage"])
    del given["ASSAY_HOME"]
    with temporary_home() as home, supervised(home, environment=given) as assay:
        assay.wait("schema")

        assert "the one DATABASE_URL names, PostgreSQL 18" in assay.said
        assert "the one REDIS_URL names" in assay.said


def status(composed: Composed, path: str) -> int:
    try:
        with urllib.request.urlopen(f"{composed.url}{path}", timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
