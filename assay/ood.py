"""Out-of-distribution scores: how unlike its training data a model finds an input. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from assay.divergence import Floats

QUANTILE = 0.05  # share of in-distribution inputs that count as out of it: the null value


def energy(logits: npt.ArrayLike, *, temperature: float = 1.0) -> Floats:
    """T · logsumexp(logits / T) of each row; high means in distribution (Liu et al. 2020)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    top = scaled.max(axis=-1)
    summed = np.exp(scaled - top[..., np.newaxis]).sum(axis=-1)
    return np.asarray(temperature * (top + np.log(summed)), dtype=np.float64)


@dataclass(frozen=True)
class EnergyThreshold:
    """The energy under which an input counts as out of distribution."""

    value: float
    temperature: float = 1.0
    quantile: float = QUANTILE

    @classmethod
    def freeze(
        cls, scores: npt.ArrayLike, *, temperature: float = 1.0, quantile: float = QUANTILE
    ) -> Self:
        """Take the ``quantile`` of held-out in-distribution scores, rounded down to a score.

        Raises:
            ValueError: There are no scores, or one is not finite.
        """
        numbers = np.asarray(scores, dtype=np.float64)
        if not numbers.size or not np.isfinite(numbers).all():
            raise ValueError("an energy threshold needs finite in-distribution scores")
        return cls(float(np.quantile(numbers, quantile, method="lower")), temperature, quantile)

    def rate(self, logits: npt.ArrayLike) -> float:
        """The ``ood_rate`` of a batch: its share of rows strictly under the threshold, 0..1.

        Raises:
            ValueError: The batch is empty, so it has no rate.
        """
        return share_under(energy(logits, temperature=self.temperature), self.value)

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "score": "energy",
            "threshold": self.value,
            "temperature": self.temperature,
            "quantile": self.quantile,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Read the stored form.

        Raises:
            ValueError: The score is another one than energy.
        """
        if stored["score"] != "energy":
            raise ValueError(f"the out-of-distribution score {stored['score']!r} is not known")
        return cls(
            float(stored["threshold"]), float(stored["temperature"]), float(stored["quantile"])
        )


def share_under(scores: npt.ArrayLike, threshold: float) -> float:
    """The share of scores strictly under the threshold.

    Raises:
        ValueError: There are no scores.
    """
    numbers = np.asarray(scores, dtype=np.float64)
    if not numbers.size:
        raise ValueError("an empty batch has no out-of-distribution rate")
    return float(np.mean(numbers < threshold))
