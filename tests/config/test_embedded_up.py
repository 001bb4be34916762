"""All of Assay under one command, for real: from the first start to the last process."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from select import select

import psycopg
import pytest
from django.contrib.auth.hashers import check_password

from config import embedded
from config.embedded.locations import ROOT, Home
from config.embedded.programs import WEB_THREADS
from config.settings import DATABASES
from tests.config.conftest import temporary_home
from tests.config.programs import alive, within
from tests.config.supervised import (
    Supervised,
    all_gone,
    children,
    clean_environment,
    descendants,
    supervised,
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="looks at processes through /proc, which only Linux has"
)
PROCESSES = {  # name: a part of its command line
    "postgres": "bin/postgres",
    "valkey": "valkey-server",
    "web": "granian",
    "control": "-Q control",
    "outside": "-Q outside",
    "cpu": "-Q cpu,gpu",
    "beat": " beat ",
}
# It promises more than it sends, so whoever reads it waits for the rest.
SLOW_UPLOAD = (
    b"POST /api/model-registry/models HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"
)
SLOW_UPLOADS = 24  # fewer than one web process has threads, should all meet there


@pytest.fixture(scope="module")
def assay(shared_home: Path) -> Iterator[Supervised]:
    """One Assay, up, for the tests that leave it up."""
    with supervised(shared_home) as assay:
        yield assay.wait()


def test_it_says_what_starts_and_ends_with_the_urls(assay: Supervised) -> None:
    lines = re.sub(r" +\d+\.\d s", "", assay.said).splitlines()
    url = f"http://localhost:{assay.port}"

    assert lines[:9] == [
        f"Assay starts from {assay.home}",
        "  database  PostgreSQL 18",
        "  broker    Valkey",
        "  schema    up to date",
        f"  web       {url}",
        "  control   worker for rollbacks and deliveries",
        "  outside   worker for mail and handlers",
        "  cpu       worker for evaluations",
        "  beat      the clock that wakes the workers",
    ]
    assert lines[10:13] == [
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


def test_a_web_worker_has_a_connection_for_each_of_its_threads() -> None:
    assert DATABASES["default"]["OPTIONS"]["pool"]["max_size"] >= WEB_THREADS


def test_slow_uploads_do_not_keep_others_from_being_served(assay: Supervised) -> None:
    with ExitStack() as stack:
        uploads = [
            stack.enter_context(socket.create_connection(("127.0.0.1", assay.port)))
            for _ in range(SLOW_UPLOADS)
        ]
        for upload in uploads:
            upload.sendall(SLOW_UPLOAD)
        time.sleep(1)
        began = time.monotonic()

        statuses = [assay.status("/api/model-registry/models") for _ in range(10)]

        assert statuses == [200] * 10
        assert time.monotonic() - began < 5
        assert not select(uploads, [], [], 0)[0], "the uploads were refused, not slow"


@pytest.mark.parametrize("name", PROCESSES)
def test_what_was_killed_comes_back_and_everything_works_again(
    assay: Supervised, name: str
) -> None:
    before = assay.child(PROCESSES[name])
    others = {other: assay.child(part) for other, part in PROCESSES.items() if other != name}

    os.kill(before, signal.SIGKILL)

    assert within(10, lambda: assay.child(PROCESSES[name]) not in {0, before})
    assert within(15, lambda: assay.status("/readyz") == 200)
    assert {
        other: assay.child(part) for other, part in PROCESSES.items() if other != name
    } == others
    assert f"\n{name} ended with signal 9; its log is {assay.home}/log/{name}.log" in assay.said


@pytest.mark.parametrize("name", ["web", "control", "outside", "cpu"])
def test_a_worker_of_a_worker_that_was_killed_is_replaced(assay: Supervised, name: str) -> None:
    before = children(assay.child(PROCESSES[name]))[-1]

    os.kill(before, signal.SIGKILL)

    assert within(10, lambda: before not in children(assay.child(PROCESSES[name])))
    assert within(15, lambda: assay.status("/readyz") == 200)


def test_ctrl_c_stops_all_within_ten_seconds_even_in_the_middle_of_an_upload(home: Path) -> None:
    with (
        supervised(home) as assay,
        socket.create_connection(("127.0.0.1", assay.wait().port)) as upload,
    ):
        upload.sendall(SLOW_UPLOAD)
        pids = descendants(assay.process.pid)
        began = time.monotonic()

        assay.process.send_signal(signal.SIGINT)

        assert assay.process.wait(15) == 0
        assert time.monotonic() - began < 10
        assert len(pids) > 12
        assert not any(map(alive, pids))
        assert assay.said.endswith(f"Assay has stopped; its state stays in {home}.\n")


def test_kill_9_leaves_no_orphan_and_no_hindrance_and_loses_nothing(home: Path) -> None:
    with supervised(home) as assay:
        password = assay.wait().password
        pids = descendants(assay.process.pid)

        assay.process.kill()
        assay.process.wait()

    with supervised(home) as again:
        again.wait()
        assert not any(map(alive, pids))
        assert "password" not in again.said
        assert check_password(password, stored_password(url_of(again)))


def test_the_end_may_be_asked_for_while_it_starts(home: Path) -> None:
    with supervised(home) as assay:
        pids = descendants(assay.wait("database").process.pid)

        assay.process.terminate()

        assert assay.process.wait(10) == 0
        assert not any(map(alive, pids))


def test_kill_9_of_make_stops_assay(home: Path) -> None:
    binaries = f"BIN={Path(sys.executable).parent}"
    with supervised(home, "make", "up", "INSTALLED=Makefile", binaries) as assay:
        pids = descendants(assay.wait("database").process.pid)

        assay.process.kill()

        assert all_gone(pids, seconds=10)


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


def url_of(assay: Supervised) -> str:
    """The database of an Assay that uses its own."""
    return Home(assay.home).database_url("assay_app")


def rows(url: str, statement: bytes) -> list[tuple]:
    """What a database answers."""
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def stored_password(url: str) -> str:
    """The hash of the admin's password."""
    return str(rows(url, b"SELECT password FROM auth_user WHERE username = 'admin'")[0][0])
