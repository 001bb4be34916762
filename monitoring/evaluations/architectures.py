"""Build models from their description: code comes from here, only weights from the artifact."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monitoring.evaluations.specs import Mlp, ModelSpec

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


class Standardize(nn.Module):
    """(x − mean) / scale, with tensors that come from the artifact."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))

    def forward(self, features: Tensor) -> Tensor:
        """Scale each column."""
        return (features - self.get_buffer("mean")) / self.get_buffer("scale")


class Classifier(nn.Module):
    """Features [n, inputs] in, logits [n, classes] out; a missing value counts as 0 once scaled."""

    def __init__(self, net: nn.Module, standardize: nn.Module | None) -> None:
        super().__init__()
        self.net = net
        self.standardize = standardize

    def forward(self, features: Tensor) -> Tensor:
        """The logits."""
        scaled = features if self.standardize is None else self.standardize(features)
        known = torch.where(scaled.isnan(), 0.0, scaled)
        logits: Tensor = self.net(known)
        return logits


def build(spec: ModelSpec) -> Classifier:
    """The model without its weights."""
    inputs = spec.architecture.inputs
    return Classifier(
        BUILDERS[type(spec.architecture)](spec.architecture),
        Standardize(inputs) if spec.standardized else None,
    )


def mlp(architecture: Mlp) -> nn.Module:
    """Linear layers with the activation between them."""
    modules: list[nn.Module] = []
    for inputs, outputs in architecture.layers:
        modules += [nn.Linear(inputs, outputs), ACTIVATIONS[architecture.activation]()]
    return nn.Sequential(*modules[:-1])


BUILDERS = {Mlp: mlp}
