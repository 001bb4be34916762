"""How much the rows of a window weigh against a threshold, in nats. Pure.

n·KL(q‖p₀) is the exponent of Hoeffding's bound (Hoeffding 1963, "Probability inequalities for sums
of bounded random variables", theorem 1) on seeing a pooled rate q of n requests where the true rate
is p₀ at most. It is divided by how much burstier the rows are than independent requests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from monitoring.triggers import TOLERANCE

WIDTHS = (0.1, 0.3, 1.0, 6.0, 36.0)  # of the policy's window
WHOLE = WIDTHS.index(1.0)
FEW_ROWS = 3  # rows before their spread tells how bursty they are
ASSUMED_BURSTINESS = 1.5  # of fewer rows
SMALLEST_SLOW_SAMPLE = 20  # requests; quantiles of fewer place no tail
SLOW = 1.1  # times the limit: slower than this is slow beyond doubt
SLOW_SHARE = 0.05  # of requests over a p95 limit that is met
LONGEST_TABLE = 2000  # requests; a p95 of more is as likely over its true value as not


@dataclass(frozen=True, slots=True)
class Sums:
    """What one rate's rows of one window add up to."""

    rows: int = 0
    requests: int = 0
    events: float = 0.0  # Σ n·r
    squares: float = 0.0  # Σ n·r²
    over: int = 0  # rows that are themselves over the threshold; not counted in wide windows

    @property
    def rate(self) -> float:
        """The pooled rate, a share of requests; 0 where there are none."""
        return self.events / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class LatencySums:
    """What the latencies of one window add up to."""

    rows: int = 0  # that report a p95
    over: int = 0  # of them, whose p95 is over the limit
    chance: float = 0.5  # mean π(n): how often a row is over though the limit is just met
    slow: Sums = Sums()  # shares slower than SLOW times the limit


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sums of one version: each rate's by WIDTHS, latency and drift over the whole window."""

    error_rate: Sequence[Sums] = (Sums(),) * len(WIDTHS)
    ood_rate: Sequence[Sums] = (Sums(),) * len(WIDTHS)
    latency: LatencySums = LatencySums()
    input_drift: Sums = Sums()  # rows of enough requests only


def divergence(q: float, p: float) -> float:
    """KL(q‖p) of two Bernoulli rates in nats; 0 < p < 1."""
    hit = q * math.log(q / p) if q > 0 else 0.0
    miss = (1 - q) * math.log((1 - q) / (1 - p)) if q < 1 else 0.0
    return hit + miss


def burstiness(sums: Sums) -> float:
    """φ: how many times more the rows scatter than independent requests would; at least 1."""
    q = sums.rate
    if sums.rows < FEW_ROWS:
        return ASSUMED_BURSTINESS
    if not 0 < q < 1:
        return 1.0
    scatter = max(0.0, sums.squares - sums.events * q)
    return max(1.0, scatter / (q * (1 - q)) / (sums.rows - 1))


def nats(sums: Sums, threshold: float) -> float:
    """E: the evidence that the true rate is over the threshold; 0 where the pooled rate is not."""
    if sums.rate - threshold <= TOLERANCE:
        return 0.0
    return sums.requests * divergence(min(1.0, sums.rate), threshold) / burstiness(sums)


def chance_over(requests: int) -> float:
    """π(n): how often the p95 of n requests is over the true one, P(Bin(n, .05) ≥ n − ⌈.95n⌉ + 1).

    Past LONGEST_TABLE it is the largest of those that follow, so that no alarm is false for it.
    """
    return _chances()[min(requests, LONGEST_TABLE)]


def mean_chance_over(requests: Sequence[int]) -> float:
    """The mean of π(n) over rows of so many requests, each LONGEST_TABLE at most; 0 where there are none."""
    table = _chances()
    return math.fsum(table[n] for n in requests) / len(requests) if requests else 0.0


def slow_fraction(p50: float, p95: float, p99: float, limit: float) -> float:
    """The share of requests slower than ``limit``, read between three quantiles (milliseconds).

    Log-linear through (p50, .5), (p95, .95) and (p99, .99); .5 and .01 outside them.
    """
    if limit <= p50:
        return 0.5
    if limit >= p99:
        return 0.01
    if limit <= p95:
        return 0.5 - 0.45 * _along(p50, p95, limit)
    return 0.05 - 0.04 * _along(p95, p99, limit)


def _along(start: float, end: float, at: float) -> float:
    start = max(start, 1e-9)
    return math.log(at / start) / math.log(end / start)


@cache
def _chances() -> Sequence[float]:
    found = [0.0, *(_tail(n, n - math.ceil(0.95 * n - 1e-9) + 1) for n in range(1, LONGEST_TABLE))]
    return [*found, max(found[-20:])]


def _tail(n: int, least: int) -> float:
    """P(Bin(n, .05) ≥ least)."""
    log_p, log_q = math.log(0.05), math.log(0.95)
    below = (
        math.exp(
            math.lgamma(n + 1)
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * log_p
            + (n - k) * log_q
        )
        for k in range(least)
    )
    return 1.0 - math.fsum(below)


def nats_of_slow(slow: Sums) -> float:
    """The evidence that more than SLOW_SHARE are slow; 0 unless most rows, and three, say so."""
    if slow.over < FEW_ROWS or 2 * slow.over <= slow.rows or slow.rate <= SLOW_SHARE:
        return 0.0
    return slow.requests * divergence(slow.rate, SLOW_SHARE)


def sign_nats(over: int, rows: int, chance: float) -> float:
    """m·KL(e/m‖p): the evidence that rows are over more often than by chance."""
    if not rows or over / rows <= chance:
        return 0.0
    return rows * divergence(over / rows, chance)
