"""A whole measurement: what it reports, and that the figures are those of the pure modules."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from assay import ood
from assay.profiles import Profile
from monitoring.evaluations import datasets, inference, loading, measure
from monitoring.evaluations.datasets import DataSet
from monitoring.evaluations.loading import LoadedModel
from monitoring.evaluations.measure import Plan
from monitoring.evaluations.refusals import DataSetInvalid, ModelNotLoadable
from tests.evaluations import files

PLAN = Plan(("SEX", "RAC1P"), favourable_label=1)
TIMED = ("latency", "memory", "seconds")


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    return loading.load(files.mlp_file(tmp_path / "model"))


@pytest.fixture
def dataset(tmp_path: Path) -> DataSet:
    return datasets.load(files.dataset_file(tmp_path / "data", rows=3000))


def changed(tmp_path: Path, **described: Any) -> DataSet:
    return datasets.load(files.dataset_file(tmp_path / "other", rows=3000, **described))


def test_results_are_json_with_every_part(model: LoadedModel, dataset: DataSet) -> None:
    results = measure.measure(model, dataset, PLAN)

    assert json.loads(json.dumps(results, allow_nan=False))["format"] == "assay.evaluation/1"
    assert results["rows"] == 3000
    assert set(results["metrics"]) == {"figures", "undefined", "confusion"}
    assert [section["attributes"] for section in results["bias"]["sections"]] == [
        ("SEX",),
        ("RAC1P",),
        ("SEX", "RAC1P"),
    ]
    assert results["latency"]["batch"]["rows"] == 1024
    assert results["latency"]["row"]["calls"] == inference.ROW_CALLS
    assert results["environment"]["device"] == "cpu"
    assert results["environment"]["torch"] == torch.__version__
    assert results["drift"] is None
    assert results["unmonitored_features"] == []


def test_figures_are_those_of_the_predictions(model: LoadedModel, dataset: DataSet) -> None:
    with torch.inference_mode():
        logits = model.module(torch.from_numpy(dataset.features))
    positive = torch.softmax(logits.double(), dim=1)[:, 1].numpy()
    chosen = positive >= 0.5

    results = measure.measure(model, dataset, PLAN)

    figures = results["metrics"]["figures"]
    assert figures["accuracy"] == pytest.approx(np.mean(chosen == dataset.labels))
    assert figures["brier"] == pytest.approx(np.mean((positive - dataset.labels) ** 2), abs=1e-6)
    assert figures["auroc_error_bound"] == 0.0
    male = dataset.groups["SEX"] == 1
    group = results["bias"]["sections"][0]["groups"][0]
    assert group["label"] == "SEX 1 (male)"
    assert group["rows"] == male.sum()
    assert group["rates"]["selection_rate"]["value"] == pytest.approx(chosen[male].mean())


def test_many_rows_get_areas_with_a_bound(
    model: LoadedModel, dataset: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = measure.measure(model, dataset, PLAN)["metrics"]["figures"]
    monkeypatch.setattr(measure, "EXACT_ROWS", 2999)

    binned = measure.measure(model, dataset, PLAN)["metrics"]["figures"]

    assert 0 < binned["auroc_error_bound"] < 1e-4
    assert abs(binned["auroc"] - exact["auroc"]) <= binned["auroc_error_bound"]


def test_the_same_measurement_gives_the_same_figures(model: LoadedModel, dataset: DataSet) -> None:
    one, other = (measure.measure(model, dataset, PLAN) for _ in range(2))

    for part in one.keys() - set(TIMED):
        assert one[part] == other[part], part


def test_the_decision_threshold_of_the_artifact_is_obeyed(tmp_path: Path, dataset: DataSet) -> None:
    eager = loading.load(
        files.mlp_file(tmp_path / "eager", metadata={"assay.decision": '{"threshold": 0.001}'})
    )

    results = measure.measure(eager, dataset, PLAN)

    assert results["decision_threshold"] == 0.001
    assert np.array(results["metrics"]["confusion"])[:, 0].sum() == 0
    assert results["metrics"]["figures"]["recall"] == 1.0


@pytest.mark.parametrize(("threshold", "chosen"), [(None, [0, 1, 1]), (0.6, [0, 0, 1])])
def test_two_classes_are_decided_from_the_threshold_on(
    threshold: float | None, chosen: list[int]
) -> None:
    probabilities = np.array([[0.51, 0.49], [0.5, 0.5], [0.4, 0.6]])

    assert measure.decide(probabilities, threshold).tolist() == chosen


def test_many_classes_are_decided_by_the_likeliest() -> None:
    assert measure.decide(np.array([[0.2, 0.3, 0.5], [0.5, 0.3, 0.2]]), None).tolist() == [2, 0]


def test_the_stored_profile_serves_drift_and_out_of_distribution_rates(
    model: LoadedModel, dataset: DataSet
) -> None:
    results = json.loads(json.dumps(measure.measure(model, dataset, PLAN)))

    profile = Profile.from_json(results["profile"])

    assert [feature.name for feature in profile.features] == list(files.FEATURES)
    assert profile.rows == 3000
    assert profile.ood is not None
    with torch.inference_mode():
        logits = model.module(torch.from_numpy(dataset.features)).numpy()
    assert profile.ood.rate(logits) == pytest.approx(ood.QUANTILE, abs=0.001)


def test_a_reference_gives_the_profile_and_the_drift_from_it(
    tmp_path: Path, model: LoadedModel, dataset: DataSet
) -> None:
    tensors = files.dataset_tensors(rows=2000, seed=1)
    tensors["features"][:, 1] += 1.5
    reference = datasets.load(files.dataset_file(tmp_path / "reference", tensors))

    results = measure.measure(model, dataset, PLAN, reference=reference)

    assert results["profile"]["rows"] == 2000
    assert results["drift"]["feature"] == "hours"
    assert results["drift"]["lower"] > 0.3
    assert results["rows"] == 3000


def test_a_seasonal_feature_of_the_reference_is_named_unmonitored(
    tmp_path: Path, model: LoadedModel
) -> None:
    tensors = files.dataset_tensors(rows=3000)
    tensors["features"][:, 2] += np.linspace(0, 20, 3000, dtype=np.float32)
    seasonal = datasets.load(files.dataset_file(tmp_path / "year", tensors, window_rows=300))

    results = measure.measure(model, seasonal, PLAN)

    assert results["unmonitored_features"] == ["tenure"]


def test_without_declared_attributes_bias_is_unknown(model: LoadedModel, dataset: DataSet) -> None:
    bias = measure.measure(model, dataset, Plan())["bias"]

    assert bias["verdict"] == "unknown"
    assert bias["sections"] == ()


def test_results_say_where_and_with_what(model: LoadedModel, dataset: DataSet) -> None:
    environment = measure.measure(model, dataset, PLAN)["environment"]

    assert (environment["device"], environment["device_name"]) == ("cpu", platform.machine())
    assert environment["torch"] == torch.__version__
    assert {"numpy", "safetensors", "python", "threads"} <= environment.keys()
    assert (environment["cuda"], environment["driver"]) == (None, None)


@pytest.mark.parametrize(
    ("program", "driver"),
    [
        ("echo 580.95.05; echo 580.95.05", "580.95.05"),
        ("echo NVIDIA-SMI has failed >&2; exit 9", None),
        ("true", None),
    ],
)
def test_the_driver_is_the_one_nvidia_smi_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, driver: str | None
) -> None:
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{program}\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")

    assert measure.driver() == driver


def test_a_smaller_batch_is_reported_beside_the_one_asked_for(
    model: LoadedModel, dataset: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = measure.measure(model, dataset, PLAN)
    forward = type(model.module).forward

    def narrow(module: Any, features: torch.Tensor) -> torch.Tensor:
        if len(features) > 300:
            raise torch.OutOfMemoryError
        return forward(module, features)

    monkeypatch.setattr(type(model.module), "forward", narrow)
    cramped = measure.measure(model, dataset, PLAN)

    assert (roomy["batch_size"], roomy["batch_size_asked"]) == (1024, 1024)
    assert (cramped["batch_size"], cramped["batch_size_asked"]) == (256, 1024)
    assert cramped["latency"]["batch"]["rows"] == 256
    assert cramped["metrics"] == roomy["metrics"]


def test_memory_of_a_gpu_is_null_where_there_is_none(model: LoadedModel, dataset: DataSet) -> None:
    memory = measure.measure(model, dataset, PLAN)["memory"]

    assert memory["gpu_memory_mb"] is None
    assert memory["process_peak_mb"] > 10
    assert memory["parameters"] == model.parameters


def test_progress_ends_at_one_and_may_stop_the_measurement(
    model: LoadedModel, dataset: DataSet
) -> None:
    seen: list[float] = []

    measure.measure(model, dataset, PLAN, on_progress=seen.append)

    assert seen == sorted(seen)
    assert seen[-3:] == pytest.approx([0.9, 0.95, 1.0])


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [(4, 2, "takes 4 features .* has 3 and 2"), (3, 5, "tells 5 classes apart; .* has 3 and 2")],
)
def test_a_model_for_other_data_is_refused(
    tmp_path: Path, dataset: DataSet, inputs: int, outputs: int, message: str
) -> None:
    stranger = loading.load(files.mlp_file(tmp_path / "stranger", inputs=inputs, outputs=outputs))

    with pytest.raises(ModelNotLoadable, match=message):
        measure.measure(stranger, dataset, PLAN)


def test_a_reference_with_other_features_is_refused(
    tmp_path: Path, model: LoadedModel, dataset: DataSet
) -> None:
    reference = changed(tmp_path, features=["hours", "age", "tenure"])

    with pytest.raises(DataSetInvalid, match="features must be those of the reference"):
        measure.measure(model, dataset, PLAN, reference=reference)


def test_an_answer_that_is_not_finite_is_refused_with_its_row(
    tmp_path: Path, model: LoadedModel
) -> None:
    tensors = files.dataset_tensors()
    tensors["features"][5] = np.finfo(np.float32).max
    model.module.get_parameter("net.0.weight").data *= 1e6

    broken = datasets.load(files.dataset_file(tmp_path / "huge", tensors))

    with pytest.raises(ModelNotLoadable, match="no finite answer for 1 rows, the first is row 5"):
        measure.measure(model, broken, PLAN)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_a_gpu_reports_its_memory(model: LoadedModel, dataset: DataSet) -> None:
    results = measure.measure(model, dataset, Plan(device="cuda"))

    assert results["memory"]["gpu_memory_mb"] > 0
    assert results["environment"]["device"] == "cuda"


HEAVY = """
import sys
from monitoring.evaluations import {modules}
heavy = sorted({{"torch", "numpy", "safetensors"}} & set(sys.modules))
print(",".join(heavy))
"""


def test_what_the_web_process_imports_needs_neither_torch_nor_numpy() -> None:
    code = HEAVY.format(modules="headers, refusals, schemas, specs")

    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )

    assert loaded.stdout.strip() == ""


def test_the_pure_modules_need_no_torch() -> None:
    code = HEAVY.format(modules="cells, curves, fairness, intervals, latency, metrics")

    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )

    assert loaded.stdout.strip() == "numpy"
