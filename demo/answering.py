"""One loaded model version: it answers requests and keeps the measure of its answers."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import safetensors

from assay.entries import ModelPerformanceSnapshot
from assay.monitor import Monitor
from assay.profiles import Profile

Floats32 = npt.NDArray[np.float32]

DRIFT_WINDOW = timedelta(days=28)  # of data time


class Unanswerable(Exception):
    """The model gave no finite answer."""


@dataclass(frozen=True, eq=False)
class Model:
    """A multilayer perceptron read from its safetensors file, for one request at a time."""

    mean: Floats32
    scale: Floats32
    layers: Sequence[tuple[Floats32, Floats32]]  # weight and bias

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a model file.

        Raises:
            ValueError: It is of another architecture.
        """
        with safetensors.safe_open(path, framework="numpy") as file:
            described = json.loads(file.metadata()["assay.architecture"])
            if (described["kind"], described["activation"]) != ("mlp", "relu"):
                raise ValueError(f"this serves perceptrons with ReLU, not {described}")
            places = range(0, 2 * len(described["hidden"]) + 1, 2)
            layers = [
                (file.get_tensor(f"net.{at}.weight"), file.get_tensor(f"net.{at}.bias"))
                for at in places
            ]
            mean, scale = (file.get_tensor(f"standardize.{name}") for name in ("mean", "scale"))
        return cls(mean, scale, layers)

    def logits(self, inputs: Floats32) -> Floats32:
        """The answer to one request [classes]; a missing input counts as the mean.

        Raises:
            Unanswerable: It is not finite.
        """
        *hidden, (weight, bias) = self.layers
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told below
            value = (inputs - self.mean) / self.scale
            value[np.isnan(value)] = 0.0
            for inner_weight, inner_bias in hidden:
                value = np.maximum(inner_weight @ value + inner_bias, 0.0)
            answer: Floats32 = weight @ value + bias
        if not np.isfinite(answer).all():
            raise Unanswerable(f"the model answered {answer.tolist()}")
        return answer


@dataclass
class Version:
    """A model version in service: the model, its reference profile and what it has seen."""

    model_id: str
    model: Model
    profile: Profile
    inputs: Floats32  # of the whole stream, in the model's own order of features
    seasonal: bool
    last_answered: float | None = None  # seconds since the epoch
    answered: int = 0
    monitor: Monitor = field(init=False)
    _elapsed: float = field(default=0.0, init=False)  # seconds that were reported on

    def __post_init__(self) -> None:
        self.monitor = Monitor(
            self.model_id,
            profile=self.profile,
            drift_window=DRIFT_WINDOW,
            whole_windows=self.seasonal,
            device="cpu",
            ticks=lambda: self._elapsed,
        )

    @property
    def drift(self) -> float | None:
        """The last score reported."""
        return self.monitor.drift

    def answer(self, at: int) -> None:
        """Answer the stream's request number ``at`` and remember how it went."""
        row = self.inputs[at]
        begun = time.perf_counter()
        try:
            logits = self.model.logits(row)
        except Unanswerable:
            self.monitor.failed()
            return
        self.monitor.answered(1000 * (time.perf_counter() - begun), inputs=row, logits=logits)
        self.last_answered = time.time()
        self.answered += 1

    def report(
        self, *, now: datetime, data_time: datetime, seconds: float, source: str
    ) -> ModelPerformanceSnapshot | None:
        """The measure of what happened since the last report; None if nothing did.

        Args:
            now: The end of the interval, real time.
            data_time: The moment of its last request.
            seconds: How long the interval was.
        """
        self._elapsed += seconds
        self.monitor.source = source
        return self.monitor.snapshot(now=now, data_time=data_time)
