"""Latency as a histogram of logarithmic buckets, which merges where percentiles do not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from assay.divergence import Counts

LEAST_MS = 1e-4  # anything faster counts as this
GROWTH = 1.01  # width of a bucket: a quantile is off by half a percent at most
BUCKETS = 2400  # up to 2.3e6 ms
QUANTILES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}


@dataclass(frozen=True, eq=False)
class LatencyHistogram:
    """How many calls took how long; histograms of disjoint calls add."""

    counts: Counts

    @classmethod
    def empty(cls) -> Self:
        """No calls."""
        return cls(np.zeros(BUCKETS, dtype=np.int64))

    @classmethod
    def of(cls, milliseconds: npt.ArrayLike) -> Self:
        """The histogram of these calls."""
        taken = np.maximum(np.asarray(milliseconds, dtype=np.float64), LEAST_MS)
        buckets = np.floor(np.log(taken / LEAST_MS) / np.log(GROWTH)).astype(np.int64)
        counts = np.bincount(buckets.clip(max=BUCKETS - 1), minlength=BUCKETS)
        return cls(counts.astype(np.int64))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.counts + other.counts)

    @property
    def calls(self) -> int:
        """Calls counted."""
        return int(self.counts.sum())

    def quantile(self, q: float) -> float:
        """The latency, in ms, that a share ``q`` of the calls did not exceed.

        It is the geometric middle of the bucket that holds the nearest rank.

        Raises:
            ValueError: There were no calls.
        """
        if not self.calls:
            raise ValueError("there were no calls, so there is no latency")
        rank = np.rint(q * (self.calls - 1)) + 1
        bucket = int(np.searchsorted(np.cumsum(self.counts), rank))
        return float(LEAST_MS * GROWTH ** (bucket + 0.5))

    def to_json(self) -> dict[str, Any]:
        """Median, 95th and 99th percentile in ms, and how many calls they are of."""
        return {"calls": self.calls} | {name: self.quantile(q) for name, q in QUANTILES.items()}
