"""Makers for evaluations: versions with a real artifact, real data sets, a worker's message box."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from monitoring import tasks
from monitoring.evaluations import requests
from monitoring.models import Evaluation, EvaluationKind
from registry import artifacts
from registry.models import DataSet, ModelVersion
from tests.evaluations import files


@pytest.fixture
def make_measurable(
    make_version: Callable[..., ModelVersion], trainer: User, tmp_path: Path
) -> Callable[..., ModelVersion]:
    """A version with an artifact: a small perceptron, or the file given."""

    def make(path: Path | None = None, stage: str = "development") -> ModelVersion:
        version = make_version(stage)
        with (path or files.mlp_file(tmp_path / "model")).open("rb") as file:
            artifacts.attach(version, artifacts.receive(file), uploader=trainer)
        version.refresh_from_db()
        return version

    return make


@pytest.fixture
def make_data_set(trainer: User, tmp_path: Path) -> Callable[..., DataSet]:
    """A stored data set: ``make_data_set("census", rows=400)``."""

    def make(name: str = "census", path: Path | None = None, **options: Any) -> DataSet:
        with (path or files.dataset_file(tmp_path / name, **options)).open("rb") as file:
            return artifacts.keep_data_set(name, artifacts.receive(file), uploader=trainer)

    return make


@pytest.fixture
def ask(
    make_measurable: Callable[..., ModelVersion],
    make_data_set: Callable[..., DataSet],
    actor: str,
) -> Callable[..., Evaluation]:
    """Request an evaluation with everything in order, some of it changed."""

    def make(version: ModelVersion | None = None, **changed: Any) -> Evaluation:
        asked: dict[str, Any] = {
            "dataset": changed.get("dataset") or make_data_set(),
            "kind": EvaluationKind.GATE,
            "protected_attributes": ["SEX"],
            "favourable_label": "employed",
            "actor": actor,
        }
        return requests.request(version or make_measurable(), **asked | changed)

    return make


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The evaluations that workers were told of. The broker is the process's edge."""
    box: list[int] = []
    monkeypatch.setattr(tasks.run_evaluation, "delay", box.append)
    return box
