"""Measure a model: figures, latency, memory, bias, drift, reference profile, energy threshold."""

from __future__ import annotations

import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors
import torch

from assay import drift
from assay.divergence import Counts, Floats
from assay.ood import EnergyThreshold, energy
from assay.profiles import Profile, named_columns
from monitoring.evaluations import fairness, inference, metrics, specs
from monitoring.evaluations.cells import Cells
from monitoring.evaluations.datasets import DataSet
from monitoring.evaluations.fairness import BiasReport
from monitoring.evaluations.inference import OnProgress, Predictions
from monitoring.evaluations.loading import LoadedModel
from monitoring.evaluations.metrics import ClassificationState
from monitoring.evaluations.refusals import DataSetInvalid, ModelNotLoadable

FORMAT = "assay.evaluation/1"
BATCH_SIZE = 1024
EXACT_ROWS = 1_000_000  # up to here the areas are computed from the scores themselves
MEGABYTE = 2**20
PREDICTED, JUDGED = 0.9, 0.95  # share of the work that is done after each step


@dataclass(frozen=True)
class Plan:
    """What is asked of a measurement beside model and data."""

    protected_attributes: Sequence[str] = ()
    favourable_label: int | None = None  # index of the class
    device: str = "cpu"
    batch_size: int = BATCH_SIZE
    seed: int = 0  # of every bootstrap


def measure(
    model: LoadedModel,
    dataset: DataSet,
    plan: Plan,
    *,
    reference: DataSet | None = None,
    on_progress: OnProgress = lambda share: None,
) -> dict[str, Any]:
    """Measure ``model`` on a held-out data set.

    Args:
        reference: What the profile is frozen from; without one, the data set itself. With one,
            the drift of the data set against it is reported.
        on_progress: Called with the share that is done, 0..1, between batches; may raise to stop.

    Returns:
        The results, JSON all through; figures without a denominator are null.

    Raises:
        ModelNotLoadable: Model and data do not fit, or a logit is not finite.
        DataSetInvalid: The reference has other features.
    """
    begun = time.perf_counter()
    schema = dataset.schema
    specs.check_fit(model.spec, features=len(schema.features), classes=len(schema.classes))
    _check_alike(dataset, reference)
    predicted = inference.predict(
        model.module,
        dataset.features,
        device=plan.device,
        batch_size=plan.batch_size,
        on_progress=lambda share: on_progress(PREDICTED * share),
    )
    _check_finite(predicted)
    probabilities = softmax(predicted.logits)
    chosen = decide(probabilities, model.spec.threshold)
    quality = figures(dataset.labels, chosen, probabilities)
    bias = judge(dataset, chosen, plan)
    on_progress(JUDGED)
    profile = freeze(reference or dataset, predicted)
    results = {
        "format": FORMAT,
        "rows": schema.rows,
        "classes": list(schema.classes),
        "decision_threshold": model.spec.threshold,
        "metrics": quality,
        "bias": bias.to_json(),
        "profile": profile.to_json(),
        "unmonitored_features": profile.unmonitored(),
        "drift": None if reference is None else drifted(profile, dataset, plan.seed),
        "latency": latency(predicted),
        "memory": memory(model, plan.device),
        "environment": environment(plan.device),
        "batch_size": predicted.batch_size,
        "batch_size_asked": plan.batch_size,
        "seed": plan.seed,
        "seconds": round(time.perf_counter() - begun, 3),
    }
    on_progress(1.0)
    return results


def softmax(logits: inference.Logits) -> Floats:
    """Probabilities of each row, in float64."""
    exact = logits.astype(np.float64)
    raised = np.exp(exact - exact.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)


def decide(probabilities: Floats, threshold: float | None) -> Counts:
    """The predicted class: with two, class 1 from the threshold on (0.5); else the likeliest."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= (0.5 if threshold is None else threshold)).astype(np.int64)
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def figures(labels: Counts, chosen: Counts, probabilities: Floats) -> dict[str, Any]:
    """The model metrics, with the confusion counts [label][prediction] they come from."""
    state = ClassificationState.of(labels, chosen, probabilities)
    scored = (labels, probabilities) if len(labels) <= EXACT_ROWS else None
    summary = metrics.summarize(state, scored=scored)
    return summary.to_json() | {"confusion": state.confusion.tolist()}


def judge(dataset: DataSet, chosen: Counts, plan: Plan) -> BiasReport:
    """Compare the groups of the declared attributes."""
    favourable = plan.favourable_label
    if favourable is None or not plan.protected_attributes:
        return fairness.assess(None, favourable_label="", names={})
    groups = {name: dataset.groups[name] for name in plan.protected_attributes}
    return fairness.assess(
        Cells.of(groups, dataset.labels == favourable, chosen == favourable),
        favourable_label=dataset.schema.classes[favourable],
        names=dataset.schema.groups,
        seed=plan.seed,
    )


def freeze(reference: DataSet, predicted: Predictions) -> Profile:
    """The reference profile, with the energy threshold of the held-out predictions."""
    schema = reference.schema
    return Profile.freeze(
        named_columns(reference.features, schema.features),
        categorical=schema.categorical,
        block_rows=schema.window_rows,
        ood=EnergyThreshold.freeze(energy(predicted.logits)),
    )


def drifted(profile: Profile, dataset: DataSet, seed: int) -> dict[str, Any]:
    """How far the data set lies from the reference, with bounds."""
    counts = profile.count(named_columns(dataset.features, dataset.schema.features))
    return drift.compare(profile, counts, draws=drift.DRAWS, seed=seed).to_json()


def latency(predicted: Predictions) -> dict[str, Any]:
    """Milliseconds of a batch and of a single row."""
    return {
        "batch": predicted.batches.to_json() | {"rows": predicted.batch_size},
        "row": predicted.rows.to_json() | {"rows": 1},
    }


def memory(model: LoadedModel, device: str) -> dict[str, Any]:
    """Peak memory; ``gpu_memory_mb`` is null on a CPU, never 0."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = MEGABYTE if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    on_gpu = device.startswith("cuda")
    return {
        "gpu_memory_mb": torch.cuda.max_memory_allocated() / MEGABYTE if on_gpu else None,
        "process_peak_mb": round(peak / unit, 1),
        "parameters": model.parameters,
    }


def environment(device: str) -> dict[str, Any]:
    """Where and with what the figures were measured."""
    on_gpu = device.startswith("cuda")
    return {
        "device": device,
        "device_name": torch.cuda.get_device_name() if on_gpu else platform.machine(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "safetensors": safetensors.__version__,
        "cuda": torch.version.cuda if on_gpu else None,
        "driver": driver() if on_gpu else None,
    }


def driver() -> str | None:
    """The version of the NVIDIA driver; None where nothing here can tell."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip().partition("\n")[0] or None


def _check_alike(dataset: DataSet, reference: DataSet | None) -> None:
    if reference is not None and reference.schema.features != dataset.schema.features:
        raise DataSetInvalid("features", "must be those of the reference, in the same order")


def _check_finite(predicted: Predictions) -> None:
    broken = np.flatnonzero(~np.isfinite(predicted.logits).all(axis=1))
    if broken.size:
        raise ModelNotLoadable(
            f"The model gives no finite answer for {broken.size} rows, the first is row {broken[0]}."
        )
