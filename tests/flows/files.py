"""A model that looks at one feature, and data on which that is fair, or is not."""

from __future__ import annotations

import json

import numpy as np
from safetensors import numpy as safetensors

ROWS = 2_000  # of each group


def model() -> bytes:
    """Says yes where the first feature is positive."""
    weights = {
        "net.0.weight": np.array([[-1, 0], [1, 0]], dtype=np.float32),
        "net.0.bias": np.zeros(2, dtype=np.float32),
    }
    architecture = {
        "kind": "mlp",
        "inputs": 2,
        "hidden": [],
        "outputs": 2,
        "activation": "relu",
    }
    return safetensors.save(weights, {"assay.architecture": json.dumps(architecture)})


def data(*, fair: bool) -> bytes:
    """Two groups: the same rows twice, or with the feature that decides shifted for one."""
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(ROWS, 2)).astype(np.float32)
    others = rows if fair else rows - np.array([1, 0], dtype=np.float32)
    features = np.concatenate([rows, others])
    tensors = {
        "features": features,
        "labels": (features[:, 0] > 0).astype(np.int64),
        "group.CLAN": np.repeat(np.array([1, 2], dtype=np.int64), ROWS),
    }
    description = {
        "features": ["rank", "noise"],
        "classes": ["no", "yes"],
        "groups": {"CLAN": {"1": "the first", "2": "the second"}},
    }
    return safetensors.save(tensors, {"assay.dataset": json.dumps(description)})
