"""All of Assay under one command, for real: from the first start to the last process."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password

from config import embedded
from config.embedded import postgres
from config.embedded.locations import ROOT
from config.embedded.programs import WEB_THREADS, WEB_WORKERS
from tests.config.conftest import temporary_home
from tests.config.programs import within
from tests.config.supervised import (
    Supervised,
    clean_environment,
    rows,
    slow_uploads,
    stored_password,
    supervised,
    url_of,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="looks at processes through /proc, which only Linux has"
)


def test_it_says_what_starts_and_ends_with_the_urls(assay: Supervised) -> None:
    lines = re.sub(r" +\d+\.\d s", "", assay.said).splitlines()
    url = f"http://localhost:{assay.port}"

    assert lines[:10] == [
        f"Assay starts from {assay.home}",
        "  database  PostgreSQL 18",
        "  broker    Valkey",
        "  schema    up to date",
        f"  web       {url}",
        "  control   worker for rollbacks and deliveries",
        "  outside   worker for mail and handlers",
        "  webhooks  worker for webhooks",
        "  cpu       worker for evaluations",
        "  beat      the clock that wakes the workers",
    ]
    assert lines[11:14] == [
        f"  ML Models {url}/models/",
        f"  Admin     {url}/admin/",
        f"  API       {url}/api/model-registry/models",
    ]


def test_everything_it_needs_works(assay: Supervised) -> None:
    assert assay.status("/healthz") == 200
    assert within(15, lambda: assay.status("/readyz") == 200)


def test_the_first_admin_is_a_reviewer_with_the_password_shown(assay: Supervised) -> None:
    assert check_password(assay.password, stored_password(url_of(assay)))
    assert rows(
        url_of(assay),
        b"SELECT u.username, u.is_staff, g.name FROM auth_user u "
        b"JOIN auth_user_groups ug ON ug.user_id = u.id JOIN auth_group g ON g.id = ug.group_id "
        b"WHERE u.is_superuser",
    ) == [("admin", True, "reviewer")]


def test_the_first_password_is_nowhere_on_disk(assay: Supervised) -> None:
    said = assay.home / "said"  # the terminal of the person who started it
    files = [path for path in assay.home.rglob("*") if path.is_file() and path != said]

    assert not [path for path in files if assay.password.encode() in path.read_bytes()]


def test_a_new_password_can_be_set_while_it_runs(assay: Supervised) -> None:
    ended = manage(assay.home, "password")

    new = re.fullmatch(r"The new password of admin is (\w{16})\n", ended.stdout)
    assert new
    assert check_password(new[1], stored_password(url_of(assay)))


def test_a_new_password_for_nobody_is_refused(assay: Supervised) -> None:
    ended = manage(assay.home, "password", "nobody-we-know")

    assert (ended.returncode, ended.stderr) == (1, "There is no user 'nobody-we-know'.\n")


def test_a_new_password_while_it_is_down_names_the_remedy(home: Path) -> None:
    ended = manage(home, "password")

    assert ended.returncode == 1
    assert ended.stderr == (
        f"Assay is not running from {home}: start it with `make up`, then ask again.\n"
    )


def test_the_secret_key_is_for_its_owner_alone(assay: Supervised) -> None:
    key = assay.home / "secret_key"

    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text()) > 50


def test_nobody_but_the_migrations_is_told_how_to_become_the_owner(assay: Supervised) -> None:
    environment = Path(f"/proc/{assay.child('granian')}/environ").read_bytes()

    assert b"assay_app" in environment
    assert b"ASSAY_LOCAL_ACCESS=1" in environment
    assert b"assay_migrator" not in environment


def test_the_database_has_a_connection_for_each_thread_of_the_web_server() -> None:
    others = 20  # workers, migrations, people with psql

    assert int(postgres.SETTINGS["max_connections"]) >= WEB_WORKERS * WEB_THREADS + others


def test_slow_uploads_do_not_keep_others_from_being_served(assay: Supervised) -> None:
    with slow_uploads(assay):
        began = time.monotonic()

        statuses = [assay.status("/api/model-registry/models") for _ in range(10)]

    assert statuses == [200] * 10
    assert time.monotonic() - began < 5


def test_given_servers_are_used_instead_of_its_own(home: Path, servers_home: Path) -> None:
    with embedded.servers(servers_home, durable=False) as servers:
        given = {
            "DATABASE_URL": servers.database_url,
            "ASSAY_OWNER_DATABASE_URL": servers.owner_database_url,
            "REDIS_URL": servers.redis_url,
        }
        with supervised(home, environment=given) as assay:
            assay.wait("schema")

            assert rows(servers.database_url, b"SELECT count(*) > 0 FROM auth_group") == [(True,)]
            assert (assay.child("bin/postgres"), assay.child("valkey-server")) == (0, 0)
            assert "the one DATABASE_URL names" in assay.said
    assert not (home / "postgres").exists()


@pytest.fixture
def servers_home() -> Iterator[Path]:
    with temporary_home() as path:
        yield path


def manage(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What ``manage.py`` says for an Assay at ``home``."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=clean_environment(ASSAY_HOME=str(home)),
        capture_output=True,
        text=True,
        check=False,
    )
