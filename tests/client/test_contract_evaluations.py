"""A model is measured on evidence by a real worker, asked for and read through the client."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from assay import EvaluationFailed, InvalidInput, NotFound, Registry, TimedOut
from tests.client.doors import As, over_http
from tests.evaluations.files import dataset_file, mlp_file


@pytest.fixture
def as_(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> As:
    return over_http(request, monkeypatch)


@pytest.fixture
def dataset(trainer: Registry, family: str, tmp_path: Path) -> str:
    name = family.replace(" ", "-")
    file = dataset_file(tmp_path / "census.safetensors")

    kept = trainer.upload_dataset(name, file)

    assert kept.name == name
    assert kept.size == file.stat().st_size
    assert kept.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    return name


def test_an_evaluation_is_asked_for_waited_for_and_leaves_a_profile(
    trainer: Registry, model_id: str, dataset: str, tmp_path: Path
) -> None:
    trainer.upload_artifact(model_id, mlp_file(tmp_path / "model.safetensors"))
    with pytest.raises(NotFound):
        trainer.profile(model_id)

    asked = trainer.request_evaluation(
        model_id,
        dataset=dataset,
        protected_attributes=["SEX"],
        favourable_label="employed",
        gate=True,
    )
    done = trainer.wait_for_evaluation(model_id, asked.evaluation_id, timeout=60, poll_seconds=0.2)

    assert asked.results is None
    assert (done.state, done.device, done.progress) == ("done", "cpu", 1.0)
    assert done.results
    assert done.evidence_digest
    assert trainer.profile(model_id) == done.results["profile"]


def test_an_evaluation_that_fails_says_why(
    trainer: Registry, model_id: str, dataset: str, tmp_path: Path
) -> None:
    model = mlp_file(tmp_path / "model.safetensors")
    tensors = load_file(model)
    with safe_open(model, "np") as file:
        metadata = file.metadata()
    tensors["net.0.weight"][0, 0] = np.inf
    save_file(tensors, model, metadata)
    trainer.upload_artifact(model_id, model)
    asked = trainer.request_evaluation(model_id, dataset=dataset)

    with pytest.raises(EvaluationFailed, match=r"failed: .*net\.0\.weight.*not finite"):
        trainer.wait_for_evaluation(model_id, asked.evaluation_id, timeout=60, poll_seconds=0.2)


def test_a_model_that_does_not_fit_the_data_is_refused_at_once(
    trainer: Registry, model_id: str, dataset: str, tmp_path: Path
) -> None:
    trainer.upload_artifact(model_id, mlp_file(tmp_path / "model.safetensors", inputs=5))

    with pytest.raises(InvalidInput, match="The model takes 5 features"):
        trainer.request_evaluation(model_id, dataset=dataset)


def test_waiting_without_patience_ends_in_time(
    trainer: Registry, model_id: str, dataset: str, tmp_path: Path
) -> None:
    trainer.upload_artifact(model_id, mlp_file(tmp_path / "model.safetensors"))
    asked = trainer.request_evaluation(model_id, dataset=dataset)

    with pytest.raises(TimedOut, match="after 0 s"):
        trainer.wait_for_evaluation(model_id, asked.evaluation_id, timeout=0)


def test_an_unknown_data_set_is_not_found(trainer: Registry, model_id: str) -> None:
    with pytest.raises(NotFound, match="nothing-of-that-name"):
        trainer.request_evaluation(model_id, dataset="nothing-of-that-name")
