"""Model and data set files as a trainer would upload them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import numpy as numpy_files
from safetensors import torch as torch_files
from torch import nn

FEATURES = ("age", "hours", "tenure")


def mlp_file(
    path: Path,
    *,
    inputs: int = 3,
    hidden: tuple[int, ...] = (8, 4),
    outputs: int = 2,
    seed: int = 0,
    standardize: bool = True,
    metadata: dict[str, str] | None = None,
    **described: Any,
) -> Path:
    """Write a perceptron with random weights; ``described`` overrides its description."""
    torch.manual_seed(seed)
    sizes = [inputs, *hidden, outputs]
    tensors = {}
    for at in range(len(sizes) - 1):
        layer = nn.Linear(sizes[at], sizes[at + 1])
        tensors[f"net.{2 * at}.weight"] = layer.weight.detach().contiguous()
        tensors[f"net.{2 * at}.bias"] = layer.bias.detach()
    if standardize:
        tensors["standardize.mean"] = torch.linspace(0, 1, inputs)
        tensors["standardize.scale"] = torch.linspace(1, 2, inputs)
    architecture = {
        "kind": "mlp",
        "inputs": inputs,
        "hidden": list(hidden),
        "outputs": outputs,
        "activation": "relu",
    } | described
    noted = {"assay.architecture": json.dumps(architecture)} | (metadata or {})
    torch_files.save_file(tensors, path, noted)
    return path


def dataset_tensors(rows: int = 400, seed: int = 0) -> dict[str, Any]:
    """Features, labels that depend on them, and two attributes."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, len(FEATURES))).astype(np.float32)
    return {
        "features": features,
        "labels": (features[:, 0] + rng.normal(size=rows) > 0).astype(np.int64),
        "group.SEX": rng.integers(1, 3, rows),
        "group.RAC1P": rng.choice([1, 2, 9], rows, p=[0.6, 0.38, 0.02]),
    }


def dataset_file(
    path: Path, tensors: dict[str, Any] | None = None, *, rows: int = 400, **described: Any
) -> Path:
    """Write a data set; ``described`` overrides its description."""
    description = {
        "features": list(FEATURES),
        "classes": ["not employed", "employed"],
        "groups": {
            "SEX": {"1": "male", "2": "female"},
            "RAC1P": {"1": "White alone", "2": "Black", "9": "Two or more races"},
        },
    } | described
    kept = {k: v for k, v in description.items() if v is not None}
    content = dataset_tensors(rows) if tensors is None else tensors
    numpy_files.save_file(content, path, {"assay.dataset": json.dumps(kept)})
    return path
