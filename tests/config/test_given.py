"""Servers of the user's own: refused with a sentence before anything starts."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import call_command

from config import env
from config.embedded import CannotRun, given, roles
from config.embedded.servers import Servers
from tests.running import free_port

NOBODY = f"127.0.0.1:{free_port()}"


def test_a_database_that_does_not_answer_is_named_by_its_variable() -> None:
    with pytest.raises(CannotRun, match=r"DATABASE_URL names cannot be used .*create_roles"):
        given.check_database(f"postgresql://assay_app@{NOBODY}/assay", "DATABASE_URL")


def test_a_url_that_is_none_is_named() -> None:
    with pytest.raises(CannotRun, match="DATABASE_URL names cannot be used"):
        given.check_database("mysql://nowhere", "DATABASE_URL")


def test_an_old_server_is_refused(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "OLDEST", 99)

    with pytest.raises(CannotRun, match=r"is PostgreSQL 18, and Assay needs 99 or newer"):
        given.check_database(servers.superuser_database_url, "DATABASE_URL")


def test_a_broker_that_does_not_answer_is_named() -> None:
    for url in (f"redis://:pw@{NOBODY}/0", "redis+socket:///nowhere.sock", "http://nowhere"):
        with pytest.raises(CannotRun, match="The broker that REDIS_URL names cannot be used"):
            given.check_broker(url)


def test_servers_that_answer_are_taken(servers: Servers) -> None:
    assert given.check_database(servers.database_url, "DATABASE_URL") == "PostgreSQL 18"
    given.check_broker(servers.redis_url)


def test_roles_and_database_are_made_with_urls_to_set(
    servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_roles", servers.superuser_database_url, "--database", "own")

    said = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert set(said) == {"DATABASE_URL", "ASSAY_OWNER_DATABASE_URL"}
    with psycopg.connect(said["ASSAY_OWNER_DATABASE_URL"]) as owner:
        owner.execute("create table of_the_owner (id int)")
    with psycopg.connect(said["DATABASE_URL"]) as application:
        application.execute("insert into of_the_owner values (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("create table mine (id int)")


@pytest.fixture
def as_set(servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Three URLs in the environment, the passwords of two of them in files."""
    socket = f"?{urlsplit(servers.superuser_database_url).query}"
    monkeypatch.setenv("ASSAY_SUPERUSER_DATABASE_URL", servers.superuser_database_url)
    for name, role in (("DATABASE", "assay_app"), ("ASSAY_OWNER_DATABASE", "assay_migrator")):
        (tmp_path / role).write_text(f"p@ss/{role}\n")
        monkeypatch.setenv(f"{name}_URL", f"postgresql://{role}@/composed{socket}")
        monkeypatch.setenv(f"{name}_PASSWORD_FILE", str(tmp_path / role))


def test_roles_are_made_as_the_urls_name_them(
    servers: Servers, as_set: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_roles")
    call_command("create_roles")

    with psycopg.connect(servers.superuser_database_url) as superuser:
        found = superuser.execute("select rolname, rolpassword from pg_authid").fetchall()
    kept: dict[str, str | None] = dict(found)
    assert str(kept["assay_app"]).startswith("SCRAM-SHA-256$")
    assert kept["assay_app"] != kept["assay_migrator"]
    assert kept["assay_owner"] is None
    with psycopg.connect(env.owner_database_url()) as owner:
        owner.execute("create table of_the_owner (id int)")
    with psycopg.connect(env.database_url()) as application:
        application.execute("insert into of_the_owner values (1)")
    assert "p@ss" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("ASSAY_SUPERUSER_DATABASE_URL", "", "Give the URL of a superuser, or set ASSAY_SUPER"),
        ("DATABASE_URL", "postgresql://me@/composed", "DATABASE_URL names the role assay_app and"),
        ("DATABASE_PASSWORD_FILE", "", "names the role assay_app and its password"),
        ("DATABASE_URL", "postgresql://assay_app@/other", "name two databases"),
        ("ASSAY_OWNER_DATABASE_PASSWORD_FILE", "/nowhere", "names /nowhere, which cannot be read"),
    ],
)
def test_urls_that_do_not_name_the_roles_are_refused_in_a_sentence(
    as_set: None, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit, match=sentence):
        call_command("create_roles")


def test_a_socket_keeps_its_place_in_the_url() -> None:
    url = "postgresql://postgres@/postgres?host=/run/db&port=5433"

    found = env.database(roles.address(url, role="assay_app", password="p@ss/1", database="own"))

    assert (found["HOST"], found["PORT"], found["NAME"]) == ("/run/db", "5433", "own")
    assert (found["USER"], found["PASSWORD"]) == ("assay_app", "p@ss/1")


@pytest.mark.parametrize(
    ("given_url", "client"),
    [
        ("redis://:pw@host:6380/3", "redis://:pw@host:6380/3"),
        ("rediss://user:pw@host/0?ssl_cert_reqs=required", None),
        ("redis+socket:///run/valkey.sock", "unix:///run/valkey.sock"),
    ],
)
def test_brokers_with_passwords_and_tls_are_spelled_for_both_clients(
    given_url: str, client: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", given_url)

    assert env.broker_url() == given_url
    assert env.redis_client_url() == (client or given_url)
