"""Load a model safely: safetensors and a known architecture, nothing that executes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from monitoring.evaluations import architectures, headers, specs
from monitoring.evaluations.architectures import Classifier
from monitoring.evaluations.refusals import ModelNotLoadable
from monitoring.evaluations.specs import ModelSpec


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model ready to predict, on the CPU, and what its artifact said of it."""

    module: Classifier
    spec: ModelSpec

    @property
    def parameters(self) -> int:
        """Numbers that were learned."""
        return sum(parameter.numel() for parameter in self.module.parameters())


def load(path: Path) -> LoadedModel:
    """Rebuild the model of an artifact.

    Raises:
        NotMeasurable: It is no safetensors file (a pickle is never opened).
        ModelNotLoadable: Its architecture is unknown, its tensors do not fit it, or a weight is
            not finite.
    """
    spec = specs.read(headers.read(path))
    try:
        weights = load_file(path, device="cpu")
    except SafetensorError as error:
        raise ModelNotLoadable(f"The artifact is damaged: {error}.") from error
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ModelNotLoadable(f"The tensor {name} holds values that are not finite.")
    module = architectures.build(spec)
    module.load_state_dict(weights)
    return LoadedModel(module.eval(), spec)
