"""Loading a model: the weights arrive, nothing executes, the forward pass is the documented one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file, save_file

from assay.divergence import Floats
from monitoring.evaluations import headers, loading
from monitoring.evaluations.refusals import ModelNotLoadable, NotMeasurable
from tests.evaluations import files

ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "gelu": lambda x: torch.nn.functional.gelu(torch.tensor(x)).numpy(),
}


def by_hand(path: Path, features: npt.NDArray[np.float32], activation: str) -> Floats:
    """The documented forward pass in float64."""
    tensors = {name: t.double().numpy() for name, t in load_file(path).items()}
    x = features.astype(np.float64)
    if "standardize.mean" in tensors:
        x = (x - tensors["standardize.mean"]) / tensors["standardize.scale"]
    x = np.nan_to_num(x, nan=0.0)
    layers = sum(name.startswith("net.") for name in tensors) // 2
    for at in range(layers):
        if at:
            x = ACTIVATIONS[activation](x)
        x = x @ tensors[f"net.{2 * at}.weight"].T + tensors[f"net.{2 * at}.bias"]
    return np.asarray(x, dtype=np.float64)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("hidden", [(), (8, 4)])
def test_the_forward_pass_is_the_documented_one(
    tmp_path: Path, activation: str, standardize: bool, hidden: tuple[int, ...]
) -> None:
    path = files.mlp_file(
        tmp_path / "model", hidden=hidden, standardize=standardize, activation=activation
    )
    features = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    features[3, 1] = np.nan

    module = loading.load(path).module
    with torch.inference_mode():
        logits = module(torch.from_numpy(features)).numpy()

    assert logits == pytest.approx(by_hand(path, features, activation), abs=1e-5)


def test_a_loaded_model_counts_what_was_learned(tmp_path: Path) -> None:
    model = loading.load(files.mlp_file(tmp_path / "model"))

    assert model.parameters == (3 * 8 + 8) + (8 * 4 + 4) + (4 * 2 + 2)
    assert not model.module.training


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path: Path, value: float) -> None:
    path = files.mlp_file(tmp_path / "model")
    tensors, metadata = load_file(path), dict(headers.read(path).metadata)
    tensors["net.2.bias"][0] = value
    save_file(tensors, path, metadata)

    with pytest.raises(ModelNotLoadable, match="net.2.bias holds values that are not finite"):
        loading.load(path)


def test_a_cut_off_artifact_is_refused(tmp_path: Path) -> None:
    path = files.mlp_file(tmp_path / "model")
    path.write_bytes(path.read_bytes()[:-4])

    with pytest.raises(ModelNotLoadable, match="The artifact is damaged"):
        loading.load(path)


def test_a_torch_pickle_is_refused_with_the_remedy(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "model.pt")

    with pytest.raises(NotMeasurable, match="a zip archive.*safetensors.torch.save_file"):
        loading.load(tmp_path / "model.pt")
