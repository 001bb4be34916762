"""A registry of any size is written and read in the same memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from registry.manifests import kinds, naming, writing
from registry.manifests.kinds import Body
from registry.models import ModelVersion
from tests import servers
from tests.manifests.makers import contents, declared
from tests.running import ROOT

A_FAMILY = 100  # versions
SOAK = pytest.mark.skipif("ASSAY_SOAK" not in os.environ, reason="takes minutes: set ASSAY_SOAK=1")
SPEC = {
    "description": "Trained each night.\nOn all that was known by then.\n",
    "framework": "pytorch",
    "model_type": "classification",
    "team": "risk",
    "owner": "ml_team",
    "training_data_hash": "abc123",
    "training_dataset_size": 50_000,
    "training_timestamp": "2026-01-01T00:00:00Z",
    "evaluation_metrics": {"accuracy": 0.96, "f1": 0.94},
    "expected_latency_p95_ms": 45.5,
    "tags": {"nlp": "", "country": "NO"},
    "metadata": {"layers": [64, 128, 64], "optimizer": {"name": "adam", "lr": 1e-05}},
}


def tree(folder: Path, versions: int) -> Path:
    """A tree of so many versions, as an export leaves it."""
    kind = kinds.kinds()["ModelVersion"]
    for number in range(versions):
        name, version = f"model_{number // A_FAMILY:05d}", f"1.{number % A_FAMILY}"
        given = number % A_FAMILY + 1
        metadata = {"model_id": f"m{number}", "name": name, "version": version, "number": given}
        path = folder / naming.version_file(name, given, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(writing.dump(kind.document(Body(metadata, SPEC, {}))))
    return folder


def measured(command: str, *arguments: str) -> dict[str, float]:
    """Seconds and peak memory of a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.manifests.measured", command, *arguments],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    print(f"{command} {' '.join(arguments)}: {done.stdout.strip()}")
    return found


def there_and_back(place: Path, versions: int, user_with: Callable[..., User]) -> float:
    """Import so many versions, and export them; the larger peak in MB."""
    user_with("trainer", username="tom")
    source = tree(place / f"{versions}", versions)
    came = measured("import_registry", str(source), "--as=tom")
    went = measured("export_registry", str(place / f"{versions} again"))
    assert ModelVersion.objects.count() == versions
    return max(came["peak_mb"], went["peak_mb"])


@SOAK
def test_twice_the_versions_take_the_same_memory(
    committed: None, user_with: Callable[..., User], tmp_path: Path
) -> None:
    few = there_and_back(tmp_path, 2_000, user_with)
    servers.empty()

    many = there_and_back(tmp_path, 4_000, user_with)

    assert many - few < 5  # MB


@SOAK
def test_a_hundred_thousand_versions_take_under_300_mb(
    committed: None, user_with: Callable[..., User], tmp_path: Path
) -> None:
    versions = int(os.environ.get("ASSAY_SOAK_VERSIONS", "100000"))
    first = there_and_back(tmp_path, versions, user_with)
    nothing = measured("import_registry", str(tmp_path / f"{versions} again"), "--as=tom")
    before = declared(contents(tmp_path / f"{versions} again"))
    servers.empty()
    user_with("trainer", username="tom")

    back = measured("import_registry", str(tmp_path / f"{versions} again"), "--as=tom")
    again = measured("export_registry", str(tmp_path / "after"))

    assert declared(contents(tmp_path / "after")) == before
    assert len(before) == versions + versions // A_FAMILY
    assert max(first, nothing["peak_mb"], back["peak_mb"], again["peak_mb"]) < 300
