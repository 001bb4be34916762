"""Measure one model version where it answers; needs numpy alone.

monitor = Monitor("fraud_detector_v2", profile=profile, source="replica-1")
monitor.answered(12.5, inputs=row, logits=logits)
registry.record_performance_snapshot(monitor.snapshot())
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.drift import DriftWindow
from assay.entries import ModelPerformanceSnapshot
from assay.profiles import DRIFT_LIMIT, Profile

DAY = timedelta(hours=24)
PERCENTILES = (50, 95, 99)
Inputs = Mapping[str, Any] | npt.ArrayLike  # by name, or [d] in the profile's order


@dataclass
class Tally:
    """What happened since the last snapshot."""

    since: float  # seconds, of a clock that never goes back
    latencies_ms: list[float] = field(default_factory=list)
    inputs: list[Mapping[str, Any]] = field(default_factory=list)
    logits: list[npt.ArrayLike] = field(default_factory=list)
    failed: int = 0

    @property
    def requests(self) -> int:
        """Requests, answered or not."""
        return len(self.latencies_ms) + self.failed


class Monitor:
    """Counts what a version answers, and gives it as snapshots.

    Requests, errors, latencies and ``ood_rate`` are those since the last snapshot;
    ``input_drift_score`` is that of the last ``drift_window`` of data time. Any thread may call it.
    """

    def __init__(
        self,
        model_id: str,
        *,
        profile: Profile | None = None,
        drift_window: timedelta = DAY,
        drift_limit: float = DRIFT_LIMIT,
        whole_windows: bool | None = None,
        source: str = "",
        device: str | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to count.

        Args:
            profile: The version's frozen profile; without one, neither drift nor ``ood_rate``.
            drift_limit: The trigger's threshold, over which features are not monitored.
            whole_windows: Score no drift before a whole window was seen, since half a day is not
                like a day; where None, if the profile holds nulls, which are those of whole ones.
            source: The replica that reports.
            ticks: Seconds, for the length of an interval.
        """
        self.model_id = model_id
        self.source = source
        self.device = device
        self.drift: float | None = None  # the last score given
        self._window = DriftWindow(profile, drift_window) if profile else None
        self._ood = profile.ood if profile else None
        self._names = [feature.name for feature in profile.features] if profile else []
        self._limit = drift_limit
        nulls = profile is not None and any(f.null is not None for f in profile.features)
        self._whole = nulls if whole_windows is None else whole_windows
        self._first_seen: datetime | None = None
        self._ticks = ticks
        self._lock = threading.Lock()
        self._tally = Tally(ticks())

    def answered(
        self,
        latency_ms: float,
        *,
        inputs: Inputs | None = None,
        logits: npt.ArrayLike | None = None,
    ) -> None:
        """One request was answered.

        Args:
            inputs: Its features: values by name, or numbers [d] in the profile's order; NaN where
                one is missing.
            logits: What the model said [classes], for the energy score.

        Raises:
            ValueError: The inputs are not those of the profile; nothing was counted.
        """
        named = None if inputs is None or self._window is None else _named(inputs, self._names)
        with self._lock:
            self._tally.latencies_ms.append(float(latency_ms))
            if named is not None:
                self._tally.inputs.append(named)
            if logits is not None and self._ood is not None:
                self._tally.logits.append(logits)

    def failed(self) -> None:
        """One request got no answer, or what its caller would call none."""
        with self._lock:
            self._tally.failed += 1

    def snapshot(
        self, *, now: datetime | None = None, data_time: datetime | None = None
    ) -> ModelPerformanceSnapshot | None:
        """What happened since the last one; None where nothing did.

        Args:
            now: The end of the interval, aware; this moment where None.
            data_time: When the inputs are from, aware; ``now`` where None. A replay's differs.
        """
        tick, now = self._ticks(), now or datetime.now(UTC)
        with self._lock:
            tally, self._tally = self._tally, Tally(tick)
            if not tally.requests:
                return None
            self._see(tally.inputs, data_time or now)
        p50, p95, p99 = _percentiles(tally.latencies_ms)
        seconds = tick - tally.since
        return ModelPerformanceSnapshot(
            model_id=self.model_id,
            timestamp=now,
            num_requests=tally.requests,
            latency_p50_ms=p50,
            latency_p95_ms=p95,
            latency_p99_ms=p99,
            requests_per_second=tally.requests / seconds if seconds > 0 else None,
            error_rate=tally.failed / tally.requests,
            ood_rate=self._ood_rate(tally),
            input_drift_score=self.drift,
            device=self.device,
            source=self.source,
        )

    def _see(self, inputs: Sequence[Mapping[str, Any]], at: datetime) -> None:
        """Count the inputs into the drift window, and score it where that means something."""
        if self._window is None:
            return
        if inputs:
            self._first_seen = self._first_seen or at
            columns = {name: np.array([row[name] for row in inputs]) for name in self._names}
            self._window.add(at, columns)
        full = self._first_seen is not None and at - self._first_seen >= self._window.length
        if full or (inputs and not self._whole):
            self.drift = self._window.report(limit=self._limit).input_drift_score

    def _ood_rate(self, tally: Tally) -> float | None:
        """The share of answers with too little energy; of answered requests only."""
        if self._ood is None or not tally.logits:
            return None
        return self._ood.rate(np.asarray(tally.logits, dtype=np.float64))


def _named(inputs: Inputs, names: Sequence[str]) -> Mapping[str, Any]:
    """The values by name.

    Raises:
        ValueError: One is missing, or there are others.
    """
    if not isinstance(inputs, Mapping):
        row = np.asarray(inputs)
        if row.shape != (len(names),):
            raise ValueError(f"give {len(names)} inputs: {', '.join(names)}")
        return dict(zip(names, row, strict=True))
    if missing := [name for name in names if name not in inputs]:
        raise ValueError(f"the inputs lack {', '.join(missing)}")
    return inputs


def _percentiles(values: list[float]) -> tuple[float | None, ...]:
    if not values:
        return (None,) * len(PERCENTILES)
    return tuple(float(value) for value in np.percentile(values, PERCENTILES))
