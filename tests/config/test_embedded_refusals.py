"""``manage.py up`` where it cannot start: one sentence with the remedy, exit code 1."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config import embedded
from config.embedded import checks, identities
from config.embedded.errors import CannotRun
from config.embedded.locations import ROOT, Home, postgres_binary
from config.embedded.processes import Program
from config.embedded.programs import external_database
from config.embedded.tenancy import occupy
from tests.config.supervised import clean_environment

OLD_INITDB = postgres_binary("initdb").parents[2] / "pginstall" / "bin" / "initdb"
UP = (sys.executable, "manage.py", "up", "--home")
IN_A_SMALL_DISK = 'mount -t tmpfs -o size=32m none {home} && exec "$@"'


def up(home: Path, *arguments: str, before: tuple[str, ...] = ()) -> str:
    """What ``manage.py up`` says when it refuses, and check that it refuses decently."""
    ended = subprocess.run(
        [*before, *UP, str(home), *arguments],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended.stderr


def test_a_taken_port_is_named_with_another_to_try(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        sentence = up(home, "--port", str(port))

    assert sentence == (
        f"Port {port} is taken by another program: stop it, or set ASSAY_PORT to another port, "
        f"as in `make up ASSAY_PORT={port + 1}`.\n"
    )


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(CannotRun, match=f"{port} is not a port"):
        checks.check_port(port)


def test_a_second_start_from_the_same_home_names_the_first(home: Path) -> None:
    with occupy(Home(home), url="http://localhost:8000"):
        sentence = up(home)

    assert sentence == (
        f"The home {home} is already in use (process {os.getpid()} at http://localhost:8000): "
        "use that one, stop it, or set ASSAY_HOME (and ASSAY_PORT) to another.\n"
    )


def test_a_home_that_cannot_be_made_is_refused(home: Path) -> None:
    (home / "file").touch()

    sentence = up(home / "file" / "home")

    assert f"cannot write to its home {home / 'file' / 'home'} (Not a directory)" in sentence
    assert "set ASSAY_HOME to a folder that is." in sentence


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_of_somebody_else_is_refused(home: Path) -> None:
    home.chmod(0o500)

    sentence = up(home)

    assert f"cannot write to its home {home} (Permission denied)" in sentence


def test_a_home_too_deep_for_sockets_is_refused(home: Path) -> None:
    deep = home / ("d" * 100)
    too_long = len(os.fsencode(deep / "run" / ".s.PGSQL.5432")) - checks.LONGEST_SOCKET_PATH

    sentence = up(deep)

    assert f"is {too_long} bytes too long for the servers' sockets" in sentence
    assert "set ASSAY_HOME to a shorter path." in sentence


def test_the_longest_path_that_sockets_allow_is_taken(home: Path) -> None:
    room = checks.LONGEST_SOCKET_PATH - len(os.fsencode(home / "run" / ".s.PGSQL.5432")) - 1

    checks.check_socket_paths(Home(home / ("d" * room)))
    with pytest.raises(CannotRun, match="is 1 bytes too long"):
        checks.check_socket_paths(Home(home / ("d" * (room + 1))))


def test_a_full_disk_is_refused(home: Path) -> None:
    namespace = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "-Ur", "--mount")
    mounted = (*namespace, "sh", "-c", IN_A_SMALL_DISK.format(home=home), "sh")
    if not shutil.which("unshare") or subprocess.run([*mounted, "true"], check=False).returncode:
        pytest.skip("this machine does not let us mount a small disk")

    sentence = up(home, before=mounted)

    assert f"The disk of the home {home} has 32 MB left, and Assay needs 300" in sentence
    assert "free some space" in sentence


def test_a_database_of_another_major_version_is_refused(home: Path) -> None:
    make_old_database(Home(home))

    sentence = up(home)

    assert sentence == (
        f"The database in {home / 'postgres'} was made by PostgreSQL 16, and this is PostgreSQL "
        "18: dump it with its own version (pg_dumpall) and restore the dump here, or set "
        "ASSAY_HOME to a new folder.\n"
    )


def make_old_database(home: Home) -> None:
    """A real data directory of PostgreSQL 16, whose binaries are in the same wheel."""
    with occupy(home) as tenancy:
        identity = identities.settle(home)
        identities.make_folder(home.postgres, identity)
        command = (str(OLD_INITDB), "-D", str(home.postgres), "-U", "postgres", "--no-locale", "-N")
        tenancy.finish(Program("initdb", command, {}, identity=identity), seconds=30)


def test_a_folder_that_is_no_database_is_refused(home: Path) -> None:
    (home / "postgres").mkdir()

    sentence = up(home)

    assert sentence.startswith(f"{home / 'postgres'} is not a database: move it away")


def test_a_server_started_by_hand_is_not_trampled_on(home: Path) -> None:
    postgres = home / "postgres"
    postgres.mkdir()
    (postgres / "PG_VERSION").write_text("18\n")
    command = (sys.executable, "-c", "import time; time.sleep(60)", "-D", str(postgres))
    with subprocess.Popen(command) as by_hand:
        (postgres / "postmaster.pid").write_text(f"{by_hand.pid}\n")

        sentence = up(home)

        by_hand.kill()
    assert f"did not start (process {by_hand.pid}) uses {postgres}: stop it." in sentence


def test_a_database_that_will_not_start_says_why(home: Path) -> None:
    with embedded.servers(home, durable=False):
        pass
    (home / "postgres" / "global" / "pg_control").unlink()

    sentence = up(home)

    assert "postgres ended with exit code" in sentence
    assert "could not find the database system" in sentence


@pytest.mark.parametrize("given", ["DATABASE_URL", "ASSAY_OWNER_DATABASE_URL"])
def test_the_urls_of_an_external_database_are_given_together(given: str) -> None:
    with pytest.raises(CannotRun, match="go together"):
        external_database({given: "postgresql://somewhere/assay"})


def test_a_given_database_is_used_and_none_means_the_embedded_one() -> None:
    given = {"DATABASE_URL": "postgresql://a", "ASSAY_OWNER_DATABASE_URL": "postgresql://o"}

    assert external_database(given) == ("postgresql://a", "postgresql://o")
    assert external_database({}) is None
