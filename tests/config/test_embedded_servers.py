"""The embedded servers as a library: what a test-suite or a benchmark stands on."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import errors

from config import embedded, env
from config.embedded import __main__ as beside_servers
from config.embedded import identities, roles
from config.embedded.locations import Home
from config.embedded.processes import Identity


def run(url: str, statement: bytes) -> list[tuple]:
    """The rows of one statement."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_what_a_migration_makes_belongs_to_the_owner(servers: embedded.Servers) -> None:
    run(servers.owner_database_url, b"CREATE TABLE owned (id int)")

    rows = run(servers.database_url, b"SELECT tableowner FROM pg_tables WHERE tablename = 'owned'")

    assert rows == [("assay_owner",)]


def test_the_application_reads_and_changes_rows_of_what_a_migration_made(
    servers: embedded.Servers,
) -> None:
    run(servers.owner_database_url, b"CREATE TABLE used (id serial, what text)")

    run(servers.database_url, b"INSERT INTO used (what) VALUES ('kept'), ('dropped')")
    run(servers.database_url, b"DELETE FROM used WHERE what = 'dropped'")
    run(servers.database_url, b"UPDATE used SET what = 'changed'")

    assert run(servers.database_url, b"SELECT * FROM used") == [(1, "changed")]


@pytest.mark.parametrize(
    "statement",
    [
        b"CREATE TABLE mine (id int)",
        b"CREATE SCHEMA mine",
        b"CREATE DATABASE mine",
        b"TRUNCATE guarded",
        b"ALTER TABLE guarded ADD COLUMN more int",
        b"ALTER TABLE guarded DISABLE TRIGGER ALL",
        b"DROP TABLE guarded",
        b"SET ROLE assay_owner",
        b"SET session_replication_role = replica",
    ],
)
def test_the_application_may_not_make_or_unmake_anything(
    servers: embedded.Servers, statement: bytes
) -> None:
    run(servers.owner_database_url, b"CREATE TABLE IF NOT EXISTS guarded (id int)")

    with pytest.raises(errors.InsufficientPrivilege):
        run(servers.database_url, statement)


def test_making_the_roles_again_changes_nothing(servers: embedded.Servers) -> None:
    roles_now = b"SELECT rolname, rolcanlogin, rolsuper, rolconfig FROM pg_roles ORDER BY 1"
    before = run(servers.superuser_database_url, roles_now)

    roles.create(servers.superuser_database_url, database="assay")

    assert run(servers.superuser_database_url, roles_now) == before
    assert ("assay_owner", False, False, None) in before
    assert ("assay_app", True, False, None) in before


def test_another_database_gets_the_same_privileges(servers: embedded.Servers) -> None:
    roles.create(servers.superuser_database_url, database="another")
    home = servers.tenancy.home

    run(home.database_url(roles.MIGRATOR, "another"), b"CREATE TABLE used (id int)")

    assert run(home.database_url(roles.APPLICATION, "another"), b"SELECT * FROM used") == []


def test_the_settings_of_django_reach_the_database_by_the_same_url(
    servers: embedded.Servers,
) -> None:
    database = env.database(servers.database_url)

    with psycopg.connect(
        host=database["HOST"], port=database["PORT"], user=database["USER"], dbname=database["NAME"]
    ) as connection:
        row = connection.execute("SELECT current_user, current_database()").fetchone()

    assert row == ("assay_app", "assay")


def test_nobody_but_the_owner_of_the_home_can_reach_the_servers(servers: embedded.Servers) -> None:
    home = servers.tenancy.home
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home.path, home.run)}

    assert set(modes.values()) == {0o700}
    assert run(servers.database_url, b"SHOW listen_addresses") == [("",)]
    with redis.Redis(unix_socket_path=str(home.valkey_socket)) as client:
        assert client.config_get("port") == {"port": "0"}


def test_the_broker_keeps_what_it_cannot_afford_to_forget(servers: embedded.Servers) -> None:
    with redis.Redis(unix_socket_path=str(servers.tenancy.home.valkey_socket)) as client:
        policy = client.config_get("maxmemory-policy")

    assert policy == {"maxmemory-policy": "noeviction"}


def test_neither_locale_nor_time_zone_of_the_caller_matters(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "LC_ALL": "tr_TR.UTF-8",
        "TZ": "Asia/Tokyo",
        "PGPORT": "1",
        "PGTZ": "Asia/Tokyo",
    }.items():
        monkeypatch.setenv(name, value)

    with embedded.servers(home, durable=False) as servers:
        zone = run(
            servers.superuser_database_url,
            b"SELECT setting, reset_val FROM pg_settings WHERE name = 'log_timezone'",
        )
        words = run(servers.database_url, "SELECT upper('i é'), 'Z' < 'a', 'ü' > 'z'".encode())

    assert zone == [("UTC", "UTC")]
    assert words == [("I É", True, True)]


def test_a_home_may_have_any_name(home: Path) -> None:
    with embedded.servers(home / "a b+c%20d&é", durable=False) as servers:
        database = env.database(servers.database_url)
        with redis.Redis.from_url(servers.redis_url.replace("redis+socket", "unix")) as client:
            assert client.ping()

        assert database["HOST"] == str(servers.tenancy.home.run)
        assert run(servers.database_url, b"SELECT 1") == [(1,)]


def test_a_committed_row_survives_kill_9_of_postgres(servers: embedded.Servers) -> None:
    run(servers.owner_database_url, b"CREATE TABLE survivors (id int)")
    run(servers.database_url, b"INSERT INTO survivors VALUES (7)")

    os.kill(servers.postgres.pid, signal.SIGKILL)
    servers.restart_postgres()

    assert run(servers.database_url, b"SELECT id FROM survivors") == [(7,)]


def test_rows_and_queued_messages_survive_a_restart(home: Path) -> None:
    with embedded.servers(home) as servers:
        run(servers.owner_database_url, b"CREATE TABLE kept (id int)")
        run(servers.database_url, b"INSERT INTO kept VALUES (7)")
        with redis.Redis(unix_socket_path=str(servers.tenancy.home.valkey_socket)) as client:
            client.rpush("queue", "message")

    with embedded.servers(home) as servers:
        rows = run(servers.database_url, b"SELECT id FROM kept")
        with redis.Redis(unix_socket_path=str(servers.tenancy.home.valkey_socket)) as client:
            messages = client.lrange("queue", 0, -1)

    assert rows == [(7,)]
    assert messages == [b"message"]


def test_stale_sockets_and_a_pid_file_naming_somebody_else_are_no_hindrance(home: Path) -> None:
    with embedded.servers(home, durable=False):
        pass
    place = Home(home)
    (place.postgres / "postmaster.pid").write_text(f"{os.getpid()}\n{place.postgres}\n1\n5432\n")
    place.postgres_socket.with_name(".s.PGSQL.5432.lock").write_text(f"{os.getppid()}\n")
    place.postgres_socket.touch()
    place.valkey_socket.touch()

    with embedded.servers(home, durable=False) as servers:
        assert run(servers.database_url, b"SELECT 1") == [(1,)]


def test_a_database_half_made_is_made_anew(home: Path) -> None:
    (home / "postgres.new").mkdir()
    (home / "postgres.new" / "PG_VERSION").write_text("18\n")

    with embedded.servers(home, durable=False) as servers:
        assert run(servers.database_url, b"SELECT 1") == [(1,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become nobody")
def test_root_runs_postgres_as_nobody_where_user_namespaces_are_forbidden(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded.servers(home, durable=False) as servers:
        run(servers.owner_database_url, b"CREATE TABLE kept (id int)")
    monkeypatch.setattr(identities, "can_run", lambda identity: identity is Identity.NOBODY)

    with embedded.servers(home, durable=False) as servers:
        owner = os.stat(f"/proc/{servers.postgres.pid}").st_uid

        assert owner == os.stat(home / "postgres" / "base").st_uid == 65534
        assert run(servers.database_url, b"SELECT count(*) FROM kept") == [(0,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_that_may_become_nobody_else_is_told_the_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "can_run", lambda identity: False)

    with (
        pytest.raises(embedded.CannotRun, match="start Assay as an ordinary user"),
        embedded.servers(home, durable=False),
    ):
        pass


def test_a_command_runs_beside_servers_of_its_own_and_hands_on_its_exit_code(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = (
        "import os, psycopg; print(os.environ['ASSAY_HOME']);"
        "psycopg.connect(os.environ['DATABASE_URL']).close(); raise SystemExit(7)"
    )

    exit_code = beside_servers.run([sys.executable, "-c", code])

    assert exit_code == 7
    assert not Path(capfd.readouterr().out.strip()).exists()


def test_only_the_main_thread_may_start_servers(home: Path) -> None:
    caught: list[RuntimeError] = []

    def start() -> None:
        try:
            with embedded.servers(home, durable=False):
                pass
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert "main thread" in str(caught[0])
