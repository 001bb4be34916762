"""What is brought into a database of a dump, and that it is all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config import embedded
from config.backups import servers
from config.backups.errors import BackupRefused
from tests.config.conftest import temporary_home

NOTE = b"ALTER TABLE ONLY public.auth_group ALTER COLUMN name SET (pg_attver=26752248);\n"
ROWS = b"COPY public.notes (text) FROM stdin;\n"
TABLES = "select tablename from pg_tables where schemaname = 'public'"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with (
        temporary_home() as place,
        embedded.servers(place / "home", durable=False) as started,
    ):
        yield started.owner_database_url


def major_of(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.info.server_version // 10_000


@pytest.fixture
def dump(url: str, tmp_path: Path) -> Iterator[Path]:
    """A dump of two tables of a hundred thousand rows, which are then gone."""
    with psycopg.connect(url) as connection:
        for table in ("first", "second"):
            connection.execute(
                f"create table {table} as select * from generate_series(1, 100000) n"
            )
    with psycopg.connect(url) as connection:
        (snapshot,) = connection.execute("select pg_export_snapshot()").fetchone() or ("",)
        servers.dump(url, tmp_path / "dump", snapshot=snapshot, server=major_of(url))
    with psycopg.connect(url) as connection:
        connection.execute("drop table first, second")
    yield tmp_path / "dump"
    with psycopg.connect(url) as connection:
        connection.execute("drop table if exists first, second")


def test_a_servers_notes_at_its_columns_stay_behind_and_rows_that_look_like_them_come() -> None:
    before, after = b"CREATE TABLE public.notes (text text);\n", b"\\.\n"
    script = [before, NOTE, ROWS, NOTE, after, NOTE, before]

    assert list(servers.without_versions(script)) == [before, ROWS, NOTE, after, before]


def test_all_of_a_dump_comes(url: str, dump: Path) -> None:
    servers.load(url, dump, server=major_of(url))

    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*), sum(n) from second").fetchone() == (
            100_000,
            5_000_050_000,
        )


def test_nothing_of_a_dump_that_is_cut_short_comes(url: str, dump: Path) -> None:
    dump.write_bytes(dump.read_bytes()[:-20_000])

    with pytest.raises(BackupRefused, match="^pg_restore failed:\n"):
        servers.load(url, dump, server=major_of(url))

    with psycopg.connect(url) as connection:
        assert connection.execute(TABLES).fetchall() == []


def test_nothing_of_a_dump_comes_where_a_part_is_refused(url: str, dump: Path) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table second (n int)")

    with pytest.raises(BackupRefused, match='^psql failed:(.|\n)*"second" already exists'):
        servers.load(url, dump, server=major_of(url))

    with psycopg.connect(url) as connection:
        assert connection.execute(TABLES).fetchall() == [("second",)]
