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

from assay.drift import DriftWindow
from assay.entries import ModelPerformanceSnapshot
from assay.profiles import Profile, named_columns

Floats32 = npt.NDArray[np.float32]

DRIFT_WINDOW = timedelta(days=28)  # of data time
PERCENTILES = (50, 95, 99)


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
class Tally:
    """What a version did since its last report."""

    inputs: list[Floats32] = field(default_factory=list)
    logits: list[Floats32] = field(default_factory=list)  # of the answered requests
    latencies_ms: list[float] = field(default_factory=list)
    unanswered: int = 0

    @property
    def requests(self) -> int:
        """Requests, answered or not."""
        return len(self.logits) + self.unanswered


@dataclass
class Version:
    """A model version in service: the model, its reference profile and what it has seen."""

    model_id: str
    model: Model
    profile: Profile
    inputs: Floats32  # of the whole stream, in the model's own order of features
    seasonal: bool
    first_seen: datetime | None = None  # data time
    last_answered: float | None = None  # seconds since the epoch
    answered: int = 0
    drift: float | None = None  # the last score reported
    tally: Tally = field(default_factory=Tally)
    window: DriftWindow = field(init=False)

    def __post_init__(self) -> None:
        self.window = DriftWindow(self.profile, DRIFT_WINDOW)

    def answer(self, at: int) -> None:
        """Answer the stream's request number ``at`` and remember how it went."""
        row = self.inputs[at]
        begun = time.perf_counter()
        try:
            logits = self.model.logits(row)
        except Unanswerable:
            self.tally.unanswered += 1
            return
        self.tally.latencies_ms.append(1000 * (time.perf_counter() - begun))
        self.tally.logits.append(logits)
        self.tally.inputs.append(row)
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
        tally, self.tally = self.tally, Tally()
        if not tally.requests:
            return None
        self._see(tally, data_time)
        p50, p95, p99 = _percentiles(tally.latencies_ms)
        return ModelPerformanceSnapshot(
            model_id=self.model_id,
            timestamp=now,
            num_requests=tally.requests,
            latency_p50_ms=p50,
            latency_p95_ms=p95,
            latency_p99_ms=p99,
            requests_per_second=tally.requests / seconds,
            error_rate=tally.unanswered / tally.requests,
            ood_rate=self._ood_rate(tally),
            input_drift_score=self.drift,
            device="cpu",
            source=source,
        )

    def _see(self, tally: Tally, data_time: datetime) -> None:
        """Count the inputs into the drift window, and score it once it is full."""
        if tally.inputs:
            self.first_seen = self.first_seen or data_time
            names = [feature.name for feature in self.profile.features]
            self.window.add(data_time, named_columns(np.stack(tally.inputs), names))
        full = self.first_seen is not None and data_time - self.first_seen >= DRIFT_WINDOW
        if full or (tally.inputs and not self.seasonal):
            self.drift = self.window.report().input_drift_score

    def _ood_rate(self, tally: Tally) -> float | None:
        """The share of answers with too little energy; of answered requests only."""
        if self.profile.ood is None or not tally.logits:
            return None
        return self.profile.ood.rate(np.stack(tally.logits))


def _percentiles(values: Sequence[float]) -> tuple[float | None, ...]:
    if not values:
        return (None,) * len(PERCENTILES)
    return tuple(float(value) for value in np.percentile(values, PERCENTILES))
