"""What an artifact says it is, checked before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitoring.evaluations import headers, specs
from monitoring.evaluations.headers import Header, Tensor
from monitoring.evaluations.refusals import ModelNotLoadable
from monitoring.evaluations.specs import Mlp, ModelSpec
from tests.evaluations import files


def spec_of(tmp_path: Path, **described: Any) -> ModelSpec:
    return specs.read(headers.read(files.mlp_file(tmp_path / "model", **described)))


def test_a_perceptron_is_read_with_its_layers(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)

    assert spec == ModelSpec(Mlp(3, (8, 4), 2, "relu"), standardized=True, threshold=None)
    assert spec.architecture.layers == [(3, 8), (8, 4), (4, 2)]
    assert spec.architecture.tensors["net.4.weight"] == (2, 4)


def test_a_perceptron_without_hidden_layers_is_a_linear_model(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, hidden=())

    assert spec.architecture.tensors == {"net.0.weight": (2, 3), "net.0.bias": (2,)}


def test_standardization_is_optional(tmp_path: Path) -> None:
    assert not spec_of(tmp_path, standardize=False).standardized


def test_a_decision_threshold_is_read(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, metadata={"assay.decision": '{"threshold": 0.3}'})

    assert spec.threshold == 0.3
    assert spec_of(tmp_path, metadata={"assay.decision": '{"threshold": null}'}).threshold is None


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"kind": "transformer"}, "kind 'transformer' is not known here; known: mlp"),
        ({"kind": None}, "kind None is not known"),
        ({"activation": "swish"}, "activation must be one of relu, tanh, gelu"),
        ({"inputs": 0}, "inputs must be whole numbers from 1"),
        ({"inputs": "3"}, "inputs must be whole numbers"),
        ({"inputs": True}, "inputs must be whole numbers"),
        ({"inputs": 10**9}, "inputs must be whole numbers from 1 to 1000000"),
        ({"hidden": 64}, "hidden must list the sizes"),
        ({"hidden": [8, 0]}, "hidden must be whole numbers"),
        ({"outputs": 1}, "outputs must be 2 or more"),
        ({"outputs": 3}, r"The tensor net.4.weight must be F32 \[3, 4\], and is F32 \[2, 4\]"),
        ({"hidden": [8, 4, 4]}, r"The tensor net.4.weight must be F32 \[4, 4\]"),
        ({"hidden": [8]}, "no place for the tensor net.4.bias"),
    ],
)
def test_an_impossible_description_is_refused_by_field(
    tmp_path: Path, described: dict[str, Any], message: str
) -> None:
    path = files.mlp_file(tmp_path / "model")
    held = headers.read(path)
    changed = held.described("assay.architecture") | described

    with pytest.raises(ModelNotLoadable, match=message):
        specs.read(Header(held.tensors, {"assay.architecture": json.dumps(changed)}))


@pytest.mark.parametrize("metadata", [{}, {"assay.architecture": "[]"}])
def test_an_artifact_without_an_architecture_is_told_how_to_state_one(
    metadata: dict[str, str],
) -> None:
    with pytest.raises(ModelNotLoadable, match='lacks assay.architecture.*"kind": "mlp"'):
        specs.read(Header({}, metadata))


def test_a_tensor_of_another_type_is_refused(tmp_path: Path) -> None:
    held = headers.read(files.mlp_file(tmp_path / "model"))
    tensors = {**held.tensors, "net.0.bias": Tensor("F16", (8,))}

    with pytest.raises(ModelNotLoadable, match=r"net.0.bias must be F32 \[8\], and is F16 \[8\]"):
        specs.read(Header(tensors, held.metadata))


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    held = headers.read(files.mlp_file(tmp_path / "model"))
    tensors = {name: t for name, t in held.tensors.items() if name != "standardize.scale"}

    with pytest.raises(ModelNotLoadable, match="standardize.scale must be .* and is missing"):
        specs.read(Header(tensors, held.metadata))


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        ('{"threshold": "half"}', "with a number as its threshold"),
        ('{"threshold": true}', "with a number as its threshold"),
        ("[0.5]", "must be an object"),
        ('{"threshold": 0}', "lies between 0 and 1"),
        ('{"threshold": 1.0}', "lies between 0 and 1"),
        ('{"threshold": NaN}', "lies between 0 and 1"),
    ],
)
def test_an_impossible_threshold_is_refused(tmp_path: Path, decision: str, message: str) -> None:
    with pytest.raises(ModelNotLoadable, match=message):
        spec_of(tmp_path, metadata={"assay.decision": decision})


def test_a_threshold_needs_exactly_two_classes(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadable, match="exactly two classes"):
        spec_of(tmp_path, outputs=3, metadata={"assay.decision": '{"threshold": 0.5}'})
