"""A small network and how it is trained: the same seed gives the same weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]

HIDDEN = (64, 32)
EPOCHS = 4
BATCH = 512  # rows
PEAK_RATE = 3e-3  # learning rate at the height of the one-cycle schedule
PREDICTION_BATCH = 16_384  # rows


@dataclass(frozen=True, eq=False)
class Network:
    """A multilayer perceptron that standardises its inputs itself; a missing input counts as mean."""

    layers: nn.Sequential
    mean: Tensor
    scale: Tensor
    hidden: tuple[int, ...]
    outputs: int

    def standardised(self, features: Floats32) -> Tensor:
        """The inputs as the layers see them."""
        inputs = (torch.from_numpy(features) - self.mean) / self.scale
        return torch.where(torch.isnan(inputs), 0.0, inputs)

    def probabilities(self, features: Floats32) -> Floats:
        """The probability of each class [rows, classes]."""
        with torch.inference_mode():
            inputs = self.standardised(features)
            starts = range(0, len(inputs), PREDICTION_BATCH)
            logits = torch.cat([self.layers(inputs[at : at + PREDICTION_BATCH]) for at in starts])
        return np.asarray(torch.softmax(logits.double(), dim=1).numpy(), dtype=np.float64)

    def artifact(self) -> bytes:
        """The model file: weights and architecture, nothing that executes."""
        architecture = {
            "kind": "mlp",
            "inputs": len(self.mean),
            "hidden": list(self.hidden),
            "outputs": self.outputs,
            "activation": "relu",
        }
        tensors = {f"net.{name}": value for name, value in self.layers.state_dict().items()}
        tensors |= {"standardize.mean": self.mean, "standardize.scale": self.scale}
        return safetensors.torch.save(tensors, {"assay.architecture": json.dumps(architecture)})


def fit(features: Floats32, targets: npt.NDArray[Any], *, seed: int) -> Network:
    """Train on ``features`` [rows, inputs].

    Args:
        targets: The class of each row, or the wanted probability of each class [rows, classes].
    """
    mean, scale = _standard(features)
    outputs = targets.shape[1] if targets.ndim == 2 else int(targets.max()) + 1
    draw = torch.Generator().manual_seed(seed)
    layers = _layers(features.shape[1], outputs, seed)
    network = Network(layers, torch.from_numpy(mean), torch.from_numpy(scale), HIDDEN, outputs)
    inputs, wanted = network.standardised(features), torch.from_numpy(targets)
    optimiser = torch.optim.Adam(layers.parameters(), lr=PEAK_RATE)
    steps = EPOCHS * -(-len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(inputs), generator=draw)
        for at in range(0, len(order), BATCH):
            rows = order[at : at + BATCH]
            optimiser.zero_grad()
            torch.autograd.backward(functional.cross_entropy(layers(inputs[rows]), wanted[rows]))
            optimiser.step()
            schedule.step()
    return network


def fingerprint(*arrays: npt.NDArray[Any]) -> str:
    """The sha256 of training data: shapes, types and every value."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def accuracy(scores: Floats, labels: Ints) -> float:
    """Share of rows where a score of one half or more meets label 1, or a lower one label 0."""
    return float(np.mean((scores >= 0.5) == labels))


def auroc(scores: Floats, labels: Ints) -> float:
    """The chance that a row of label 1 outscores one of label 0; ties count half (Mann-Whitney).

    Raises:
        ValueError: One of the labels does not occur.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        raise ValueError("an AUROC needs rows of both labels")
    _, at, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[at]
    return float(
        (ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    )


def _standard(features: Floats32) -> tuple[Floats32, Floats32]:
    """Mean and scale of each input; one that never varies has scale 1."""
    mean = np.asarray(np.nanmean(features, axis=0, dtype=np.float64))
    scale = np.asarray(np.nanstd(features, axis=0, dtype=np.float64))
    return mean.astype(np.float32), np.where(scale > 0, scale, 1.0).astype(np.float32)


def _layers(inputs: int, outputs: int, seed: int) -> nn.Sequential:
    sizes = (inputs, *HIDDEN, outputs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        linear = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    return nn.Sequential(*[part for layer in linear for part in (layer, nn.ReLU())][:-1])
