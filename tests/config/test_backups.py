"""A backup taken under load, restored into a fresh home: everything that was acknowledged is there."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from config import embedded
from config.backups.contents import NAME
from tests.config.conftest import temporary_home
from tests.config.supervised import clean_environment
from tests.flows import files
from tests.people import People, eventually, now
from tests.running import ROOT, run_assay

WRITERS = 4
UNSEQUENCED = "select exists(select from registry_pendingleaf) as waiting"


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    """A product of these tests' own: its home is what is copied."""
    with run_assay() as running:
        yield People(running)


@dataclass
class Load:
    """Writers that go on until told to stop, and when each of their writes was acknowledged."""

    people: People
    models: list[tuple[datetime, str]] = field(default_factory=list)
    snapshots: list[tuple[datetime, str]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        watched = self.people.in_canary()
        self.people.serving_token(watched)
        while not self.stop.is_set():
            model_id = self.people.register()
            self.models.append((datetime.now(UTC), model_id))
            at = now()
            self.people.report(watched, timestamp=at)
            self.snapshots.append((datetime.now(UTC), at))


@dataclass(frozen=True)
class Taken:
    """A backup, and what was acknowledged before it was asked for."""

    file: Path
    models: list[str]
    snapshots: list[str]
    artifact: str
    said: str


@pytest.fixture(scope="module")
def taken(people: People, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    file = tmp_path_factory.mktemp("backups") / "registry.backup"
    kept = people.upload(f"models/{people.register()}/artifact", files.model())["sha256"]
    load = Load(people)
    for who in ("tom", "rita"):
        people.ask(who, "GET", "stats")  # issues the token, so that no writer has to
    writers = [threading.Thread(target=load.run) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        eventually(lambda: len(load.snapshots) > 2 * WRITERS, seconds=60)
        asked_at = datetime.now(UTC)
        said = people.running.manage("backup", str(file))
    finally:
        load.stop.set()
        for writer in writers:
            writer.join()
    before = [model_id for at, model_id in load.models if at < asked_at]
    measured = [at for acknowledged, at in load.snapshots if acknowledged < asked_at]
    assert len(before) > WRITERS
    return Taken(file, before, measured, kept, said)


@pytest.fixture(scope="module")
def restored(taken: Taken, people: People) -> Iterator[Path]:
    with temporary_home() as place:
        home = place / "home"
        left = people.running.home / "ledger" / "checkpoints.jsonl"
        done = manage("restore", str(taken.file), "--outside", str(left), home=home)
        assert done.returncode == 0, done.stdout + done.stderr
        (place / "said").write_text(done.stdout)
        yield home


def manage(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=clean_environment(ASSAY_HOME=str(home)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_write_acknowledged_before_it_is_restored(taken: Taken, restored: Path) -> None:
    with (
        embedded.servers(restored, durable=False) as servers,
        psycopg.connect(servers.database_url) as connection,
    ):
        models = connection.execute("select model_id from registry_modelversion").fetchall()
        times = connection.execute("select timestamp from memory_model_performance").fetchall()

    assert set(taken.models) <= {name for (name,) in models}
    assert {datetime.fromisoformat(at) for at in taken.snapshots} <= {at for (at,) in times}


def test_what_was_restored_is_looked_at_and_told(taken: Taken, restored: Path) -> None:
    said = (restored.parent / "said").read_text()

    assert "The record ends at event" in said
    assert "The ledger verifies: " in said
    assert "All 1 artifacts have the bytes that their digests name." in said
    kept = restored / "artifacts" / "sha256" / taken.artifact[:2] / taken.artifact
    assert kept.read_bytes() == files.model()


def test_the_restored_registry_runs_with_the_tokens_it_had_and_its_record_goes_on(
    taken: Taken, restored: Path, people: People
) -> None:
    with run_assay(home=restored) as running:
        again = People(running)
        running.tokens |= people.running.tokens
        found = again.entry(taken.models[0])
        again.register()
        eventually(lambda: not again.rows(UNSEQUENCED)[0]["waiting"], seconds=30)
        said = running.manage("verify_ledger")

    assert found["model_id"] == taken.models[0]
    assert "The record is as it was." in said
    assert "0 wait for it" in said


def test_what_is_newer_outside_is_said_to_be_lost(taken: Taken, people: People) -> None:
    def signed_since() -> list[str]:
        """The lines of the outside file, once it speaks of more than the backup holds."""
        file = people.running.home / "ledger" / "checkpoints.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return lines if lines and json.loads(lines[-1])["size"] > size else []

    with tarfile.open(taken.file) as archive:
        first = archive.extractfile(NAME)
        assert first is not None
        size = json.load(first)["tree_size"]
    people.register()
    lost = json.loads(eventually(signed_since, seconds=90)[-1])["size"] - size

    with temporary_home() as place:
        left = people.running.home / "ledger" / "checkpoints.jsonl"
        kept = place / "kept.jsonl"
        kept.write_text(left.read_text())
        done = manage("restore", str(taken.file), "--outside", str(kept), home=place / "home")

    assert done.returncode == 0, done.stderr
    assert f"{lost} events up to" in done.stdout
    assert "are newer than this backup and lost" in done.stdout


def test_a_backup_never_replaces_a_file(people: People, taken: Taken) -> None:
    done = manage("backup", str(taken.file), home=people.running.home)

    assert done.returncode == 1
    assert "exists already" in done.stderr


def test_a_registry_is_never_restored_over_another(taken: Taken, restored: Path) -> None:
    done = manage("restore", str(taken.file), home=restored)

    assert done.returncode == 1
    assert "The database is not empty" in done.stderr


def test_a_damaged_backup_is_refused_and_a_whole_one_then_restored(
    taken: Taken, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    content = bytearray(taken.file.read_bytes())
    with tarfile.open(taken.file) as archive:
        member = next(m for m in archive if m.name.startswith("artifacts/"))
    content[member.offset_data + member.size // 2] ^= 1
    damaged.write_bytes(content)

    with temporary_home() as place:
        done = manage("restore", str(damaged), home=place / "home")
        again = manage("restore", str(taken.file), home=place / "home")

    assert (done.returncode, again.returncode) == (1, 0)
    assert "is damaged in the backup: use another copy" in done.stderr


@pytest.mark.parametrize("content", [b"", b"no archive", b"\0" * 10_240])
def test_another_file_is_named_as_none_of_ours(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)

    with temporary_home() as place:
        done = manage("restore", str(file), home=place / "home")

    assert done.returncode == 1
    assert "no backup" in done.stderr or "cannot be read" in done.stderr


def test_the_first_member_says_what_the_backup_holds(taken: Taken) -> None:
    with tarfile.open(taken.file) as archive:
        first = archive.next()

    assert first is not None
    assert first.name == NAME
    assert taken.file.stat().st_mode & 0o077 == 0
