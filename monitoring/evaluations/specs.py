"""What an artifact says it is: its architecture and decision rule, checked before loading.

The architectures that can be rebuilt are the keys of ``KINDS``; `architectures` builds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from monitoring.evaluations.headers import Header, Tensor
from monitoring.evaluations.refusals import ModelNotLoadable

ARCHITECTURE = "assay.architecture"
DECISION = "assay.decision"
WIDEST = 1_000_000  # inputs or units of a layer
ACTIVATIONS = ("relu", "tanh", "gelu")


@dataclass(frozen=True, slots=True)
class Mlp:
    """A multilayer perceptron: linear layers with one activation between them."""

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    activation: str

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> Self:
        """Check the description.

        Raises:
            ModelNotLoadable: A field is missing or impossible; the message names it.
        """
        hidden = described.get("hidden")
        if not isinstance(hidden, list):
            raise _wrong("hidden", "must list the sizes of the hidden layers")
        activation = described.get("activation")
        if activation not in ACTIVATIONS:
            raise _wrong("activation", f"must be one of {', '.join(ACTIVATIONS)}")
        sizes = [_size(size, "hidden") for size in hidden]
        inputs, outputs = (_size(described.get(name), name) for name in ("inputs", "outputs"))
        if outputs < 2:
            raise _wrong("outputs", "must be 2 or more: one logit a class")
        return cls(inputs, tuple(sizes), outputs, activation)

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of each linear layer."""
        return list(pairwise([self.inputs, *self.hidden, self.outputs]))

    @property
    def tensors(self) -> dict[str, tuple[int, ...]]:
        """The tensors its file must hold, with their shapes; activations take odd numbers."""
        named: dict[str, tuple[int, ...]] = {}
        for at, (inputs, outputs) in enumerate(self.layers):
            named[f"net.{2 * at}.weight"] = (outputs, inputs)
            named[f"net.{2 * at}.bias"] = (outputs,)
        return named


KINDS = {"mlp": Mlp}
STANDARDIZE = ("standardize.mean", "standardize.scale")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """All that is needed to rebuild the model around its weights."""

    architecture: Mlp
    standardized: bool  # inputs are scaled by tensors of the file
    threshold: float | None = None  # of class 1's probability, two classes only; None: 0.5


def read(header: Header) -> ModelSpec:
    """Check a model file by its header alone.

    Raises:
        ModelNotLoadable: The architecture is unknown, or a tensor is missing, of another shape
            or type, or one too many.
    """
    architecture = _architecture(header.described(ARCHITECTURE))
    standardized = STANDARDIZE[0] in header.tensors
    expected = architecture.tensors
    if standardized:
        expected |= dict.fromkeys(STANDARDIZE, (architecture.inputs,))
    _check_tensors(header.tensors, expected)
    threshold = _threshold(header.described(DECISION), architecture.outputs)
    return ModelSpec(architecture, standardized, threshold)


def check_fit(spec: ModelSpec, *, features: int, classes: int) -> None:
    """Check that a model was made for such data.

    Raises:
        ModelNotLoadable: It takes other features or tells other classes apart.
    """
    architecture = spec.architecture
    if (architecture.inputs, architecture.outputs) != (features, classes):
        raise ModelNotLoadable(
            f"The model takes {architecture.inputs} features and tells {architecture.outputs} "
            f"classes apart; the data set has {features} and {classes}."
        )


def _architecture(described: Any) -> Mlp:
    if not isinstance(described, dict):
        raise ModelNotLoadable(
            f"The artifact's metadata lacks {ARCHITECTURE}, so nobody knows how to put its "
            'weights together. Save it with metadata such as {"kind": "mlp", "inputs": 16, '
            '"hidden": [64, 32], "outputs": 2, "activation": "relu"}.'
        )
    if described.get("kind") not in KINDS:
        known = ", ".join(KINDS)
        raise _wrong("kind", f"{described.get('kind')!r} is not known here; known: {known}")
    return KINDS[described["kind"]].read(described)


def _check_tensors(tensors: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]]) -> None:
    if extra := sorted(tensors.keys() - expected.keys()):
        raise ModelNotLoadable(f"The architecture has no place for the tensor {extra[0]}.")
    for name, shape in expected.items():
        wanted, found = Tensor("F32", shape), tensors.get(name)
        if found != wanted:
            raise ModelNotLoadable(
                f"The tensor {name} must be {wanted}, and is {found or 'missing'}."
            )


def _threshold(described: Any, outputs: int) -> float | None:
    if described is None or (isinstance(described, dict) and described.get("threshold") is None):
        return None
    threshold = described.get("threshold") if isinstance(described, dict) else None
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        raise ModelNotLoadable(f"{DECISION} must be an object with a number as its threshold.")
    if outputs != 2 or not 0 < threshold < 1:
        raise ModelNotLoadable(
            f"{DECISION}: a threshold lies between 0 and 1 and needs exactly two classes."
        )
    return float(threshold)


def _size(value: Any, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= WIDEST:
        raise _wrong(field, f"must be whole numbers from 1 to {WIDEST}")
    return value


def _wrong(field: str, detail: str) -> ModelNotLoadable:
    return ModelNotLoadable(f"{ARCHITECTURE}: {field} {detail}.")
