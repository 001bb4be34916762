from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors.torch
import torch

from demo import networks


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    """Thirty thousand rows whose first feature is the answer, with one feature that never varies."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(30_000, 3)).astype(np.float32)
    features[:, 2] = 7.0
    return features, (features[:, 0] > 0).astype(np.int64)


def test_what_can_be_learned_is_learned(sample: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = sample

    scores = networks.fit(features, labels, seed=0).probabilities(features)[:, 1]

    assert networks.accuracy(scores, labels) > 0.95
    assert networks.auroc(scores, labels) > 0.99


def test_the_same_seed_gives_the_same_bytes(sample: tuple[np.ndarray, np.ndarray]) -> None:
    one, same, other = (networks.fit(*sample, seed=seed).artifact() for seed in (3, 3, 4))

    assert one == same
    assert one != other


def test_training_leaves_the_global_random_state_alone(
    sample: tuple[np.ndarray, np.ndarray],
) -> None:
    before = torch.get_rng_state()

    networks.fit(*sample, seed=1)

    assert torch.equal(before, torch.get_rng_state())


def test_wanted_probabilities_can_be_learned(sample: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = sample
    wanted = np.where(labels == 1, 0.8, 0.3).astype(np.float32)

    network = networks.fit(features, np.stack([1 - wanted, wanted], axis=1), seed=0)

    scores = network.probabilities(features)[:, 1]
    assert scores[labels == 1].mean() == pytest.approx(0.8, abs=0.03)
    assert scores[labels == 0].mean() == pytest.approx(0.3, abs=0.03)


def test_a_missing_input_counts_as_the_mean(sample: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = sample
    network = networks.fit(features, labels, seed=0)
    mean, missing = features[:1].copy(), features[:1].copy()
    mean[0, 1], missing[0, 1] = network.mean[1].item(), np.nan

    assert network.probabilities(missing) == pytest.approx(network.probabilities(mean))


def test_the_artifact_says_how_it_is_built(sample: tuple[np.ndarray, np.ndarray]) -> None:
    artifact = networks.fit(*sample, seed=0).artifact()

    tensors = safetensors.torch.load(artifact)
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == {
        "net.0.weight": (64, 3),
        "net.0.bias": (64,),
        "net.2.weight": (32, 64),
        "net.2.bias": (32,),
        "net.4.weight": (2, 32),
        "net.4.bias": (2,),
        "standardize.mean": (3,),
        "standardize.scale": (3,),
    }
    assert tensors["standardize.scale"][2] == 1.0
    size = int.from_bytes(artifact[:8], "little")
    described = json.loads(artifact[8 : 8 + size])["__metadata__"]["assay.architecture"]
    assert json.loads(described) == {
        "kind": "mlp",
        "inputs": 3,
        "hidden": [64, 32],
        "outputs": 2,
        "activation": "relu",
    }


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),  # the example of scikit-learn's manual
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1.0),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], 0.5),
        ([0.3, 0.3, 0.7], [0, 1, 1], 0.75),
    ],
)
def test_auroc_known_answers(scores: list[float], labels: list[int], expected: float) -> None:
    assert networks.auroc(np.array(scores), np.array(labels)) == pytest.approx(expected)


def test_an_auroc_needs_both_labels() -> None:
    with pytest.raises(ValueError, match="both labels"):
        networks.auroc(np.array([0.1, 0.2]), np.array([1, 1]))


def test_one_half_counts_as_yes() -> None:
    assert networks.accuracy(np.array([0.5, 0.49]), np.array([1, 0])) == 1.0


def test_a_fingerprint_tells_every_value_and_shape_apart() -> None:
    rows = np.arange(6, dtype=np.float32)

    prints = {
        networks.fingerprint(rows),
        networks.fingerprint(rows.reshape(2, 3)),
        networks.fingerprint(rows.astype(np.float64)),
        networks.fingerprint(rows + 1),
    }

    assert len(prints) == 4
    assert networks.fingerprint(rows) == networks.fingerprint(rows.copy())
