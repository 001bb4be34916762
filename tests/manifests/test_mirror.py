"""The tree on disk follows the registry: by events, whole files, and in any order."""

from __future__ import annotations

import io
import resource
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from config import subscriptions
from governance import rules
from registry import artifacts, families, registration
from registry.ledger import deliveries
from registry.manifests import mirror
from registry.manifests.tree import Tree
from registry.models import Delivery, DeliveryState, DeploymentStage, Event, ModelVersion, RiskTier
from tests.conftest import take
from tests.manifests.makers import contents, exported

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """A tree that is kept current."""
    settings.ASSAY_YAML_DIR = tmp_path / "kept"
    settings.ASSAY_SUBSCRIPTIONS = "config.subscriptions.MANIFESTS"
    return tmp_path / "kept"


def send() -> int:
    """What a worker of the queue does."""
    return deliveries.send_outside(now=timezone.now)


def test_every_kind_of_change_reaches_the_files(
    folder: Path,
    tmp_path: Path,
    make_version: Callable[..., ModelVersion],
    user_with: Callable[..., User],
) -> None:
    ada, otto = (user_with(role, username=role) for role in ("reviewer", "operator"))

    def upload(version: ModelVersion) -> None:
        received = artifacts.receive(io.BytesIO(b"bytes"))
        artifacts.attach(version, received, uploader=user_with("trainer", username="tom"))

    changes: list[Callable[[ModelVersion], Any]] = [
        lambda version: registration.amend(version, {"tags": {"a": "b"}}, actor="user:1"),
        upload,
        lambda version: families.describe(version.family, "New words", actor="user:1"),
        lambda version: rules.set_policy(version.family, {"max_error_rate": 0.01}, user=otto),
        lambda version: rules.set_tier(version.family, RiskTier.LOW, reviewer=ada),
        lambda version: take(version, DeploymentStage.SANDBOX),
        lambda version: take(version, DeploymentStage.CANARY),
        lambda version: take(version, DeploymentStage.ROLLBACK),
        lambda version: make_version(name="Another"),
    ]
    version = make_version()
    send()
    for change in changes:
        before = contents(folder)
        change(ModelVersion.objects.get(pk=version.pk))
        send()
        assert contents(folder) == exported(tmp_path / "whole") != before


def test_the_version_that_left_production_is_written_too(
    folder: Path, tmp_path: Path, make_version: Callable[..., ModelVersion]
) -> None:
    make_version("production")
    make_version("production")
    while send():
        pass

    assert contents(folder) == exported(tmp_path / "whole")


def test_an_event_twice_or_late_changes_nothing(
    folder: Path, make_version: Callable[..., ModelVersion]
) -> None:
    version = make_version("canary")
    while send():
        pass
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.yaml")}

    for event in Event.objects.filter(version=version).order_by("-pk"):
        mirror.keep_current(event)

    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.yaml")} == before


def test_what_is_about_no_model_is_passed_over(folder: Path) -> None:
    mirror.keep_current(Event(event_type="model.odd", payload={}))

    assert contents(folder) == {}


def test_without_a_folder_nobody_is_owed_anything(
    make_version: Callable[..., ModelVersion],
) -> None:
    make_version()

    assert not set(subscriptions.SUBSCRIPTIONS) & set(subscriptions.MANIFESTS)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("broken", ["a file in the way", "no folder set"])
def test_a_folder_that_cannot_be_written_is_tried_again_and_told(
    folder: Path, settings: Any, broken: str, make_version: Callable[..., ModelVersion]
) -> None:
    if broken == "no folder set":
        settings.ASSAY_YAML_DIR = None
    else:
        folder.write_text("in the way")
    make_version()

    assert send() == 0

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == (DeliveryState.OWED, 1)
    assert "FileExistsError" in delivery.last_error or "ASSAY_YAML_DIR" in delivery.last_error
    settings.ASSAY_YAML_DIR = folder
    folder.unlink(missing_ok=True)
    later = timezone.now() + timedelta(seconds=3)
    assert deliveries.send_outside(now=lambda: later) == 1
    assert contents(folder)


def test_a_file_is_whole_whenever_it_is_read(tmp_path: Path) -> None:
    tree, one, two = Tree(tmp_path), b"1" * 300_000, b"2" * 200_000
    tree.place("file.yaml", one)
    done = threading.Event()

    def write() -> None:
        for _ in range(200):
            tree.place("file.yaml", two)
            tree.place("file.yaml", one)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    read = set()
    while not done.is_set():
        read.add((tmp_path / "file.yaml").read_bytes())
    writer.join()

    assert read <= {one, two}
    assert [path.name for path in tmp_path.iterdir()] == ["file.yaml"]


def test_two_writers_take_turns(tmp_path: Path) -> None:
    order: list[str] = []
    entered = threading.Event()

    def second() -> None:
        entered.set()
        with Tree(tmp_path).locked():
            order.append("second")

    with Tree(tmp_path).locked():
        waiting = threading.Thread(target=second)
        waiting.start()
        entered.wait()
        waiting.join(0.2)
        order.append("first")
    waiting.join()

    assert order == ["first", "second"]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, former[1]))  # as a full disk would
    try:
        with pytest.raises(OSError, match="File too large"):
            Tree(tmp_path).place("file.yaml", b"x" * 2_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)

    assert list(tmp_path.iterdir()) == []


def test_a_manifest_no_import_would_take_is_named_and_left_out(
    make_version: Callable[..., ModelVersion], tmp_path: Path
) -> None:
    metadata: dict[str, Any] = {"x": "y" * 9_000}
    for _ in range(100):
        metadata = {"in": metadata}
    make_version(metadata=metadata)
    make_version()
    complaints = io.StringIO()

    with pytest.raises(CommandError, match="1 left out"):
        call_command("export_registry", tmp_path, stdout=io.StringIO(), stderr=complaints)

    assert "000001-1.0.0.yaml:" in complaints.getvalue()
    assert "nested deeper than 100" in complaints.getvalue()
    assert len(contents(tmp_path)) == 2  # the registered model, and the other version


@pytest.mark.parametrize(
    ("folder", "words"), [(None, "Name a folder"), ("/dev/null/x", "Cannot write /dev/null/x")]
)
def test_the_command_says_where_it_cannot_write(folder: str | None, words: str) -> None:
    arguments = [folder] if folder else []

    with pytest.raises(CommandError, match=words):
        call_command("export_registry", *arguments, stdout=io.StringIO())
