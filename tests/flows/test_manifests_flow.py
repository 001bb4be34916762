"""The manifests on disk follow the running product, and never hold it up."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manifests.makers import contents
from tests.people import People, eventually
from tests.running import run_assay


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "manifests"


@pytest.fixture(scope="module")
def people(folder: Path) -> Iterator[People]:
    """The people of a product that keeps its manifests on disk."""
    with run_assay(ASSAY_YAML_DIR=str(folder)) as running:
        yield People(running)


def said(folder: Path, model_id: str) -> str:
    """The manifest of a version; "" where there is none."""
    texts = (content.decode() for content in contents(folder).values())
    return next((text for text in texts if f"\n  model_id: {model_id}\n" in text), "")


def test_manifests_follow_each_change(people: People, folder: Path) -> None:
    model_id = people.register(description="First words")
    eventually(lambda: "First words" in said(folder, model_id))

    people.ask("tom", "PATCH", f"models/{model_id}", {"description": "Second words"})
    eventually(lambda: "Second words" in said(folder, model_id))

    people.move(model_id, "sandbox")
    people.upload(f"models/{model_id}/artifact", b"bytes of a model")
    people.review(model_id)
    people.move(model_id, "canary", canary_percentage=12.5)
    text = eventually(
        lambda: found if "stage: canary\n" in (found := said(folder, model_id)) else ""
    )
    assert "canary_percentage: 12.5\n" in text
    assert re.search(r'artifact_sha256: "?[0-9a-f]{64}"?\n', text)
    assert "artifact_format: opaque\n" in text


def test_a_broken_folder_holds_no_rollback_up_and_is_made_good_afterwards(
    people: People, folder: Path
) -> None:
    model_id = people.in_canary()
    eventually(lambda: "stage: canary\n" in said(folder, model_id))
    shutil.rmtree(folder)
    folder.write_text("a file is in the way")

    people.report(model_id, error_rate=0.2)
    people.rolled_back(model_id)

    folder.unlink()
    eventually(lambda: "stage: rollback\n" in said(folder, model_id), seconds=60)


def test_a_full_export_repairs_what_has_drifted(people: People, folder: Path) -> None:
    model_id = people.register()
    eventually(lambda: said(folder, model_id))
    (path,) = (p for p in folder.rglob("*.yaml") if f"model_id: {model_id}\n" in p.read_text())
    before = path.read_text()
    path.write_text("# somebody's pen\n")
    for lost in folder.glob("models/*/model.yaml"):
        lost.unlink()

    people.running.manage("export_registry")

    assert path.read_text() == before
    for family in folder.glob("models/*"):
        assert (family / "model.yaml").exists()


def test_what_is_kept_is_what_an_export_writes(
    people: People, folder: Path, tmp_path: Path
) -> None:
    model_id = people.in_canary()
    eventually(lambda: "stage: canary\n" in said(folder, model_id))
    people.running.manage("export_registry", str(tmp_path / "whole"))

    whole = contents(tmp_path / "whole")
    eventually(lambda: contents(folder) == whole)
