"""Decide by evidence: is the true rate surely over its threshold? Pure.

The ``evidence`` rule (rule R) asks how many nats the requests of a window speak against a true rate
at the threshold: n·KL(q‖p₀), the exponent of Hoeffding's bound (Hoeffding 1963, "Probability
inequalities for sums of bounded random variables", theorem 1), divided by how much burstier the
rows are than independent requests. It needs only sums, so late, repeated and shuffled rows are
harmless, and a healthy model close to its threshold is left alone for ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from monitoring.triggers import (
    LABELS,
    TOLERANCE,
    Assessment,
    Metric,
    Pooled,
    Rule,
    Thresholds,
    TriggerResult,
    Verdict,
    Window,
    overall,
)

SURE = 12.0  # nats: a false alarm in 160,000 looks at independent requests
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
    over: int = 0  # rows that are themselves over the threshold

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


def assess(
    window: Window, evidence: Evidence, limits: Thresholds, *, in_production: bool
) -> Assessment:
    """Judge one version by the evidence rule.

    Args:
        window: The whole window, whose figures are shown.
        in_production: Production is taken back only while its last window is over as well.
    """
    triggers = (
        _judge_rate(
            Metric.ERROR_RATE,
            window.error_rate,
            evidence.error_rate,
            (limits.max_error_rate, limits.min_requests),
            in_production,
        ),
        _judge_latency(window, evidence.latency, limits),
        _judge_rate(
            Metric.OOD_RATE,
            window.ood_rate,
            evidence.ood_rate,
            (limits.max_ood_rate, limits.min_requests),
            in_production,
        ),
        _judge_drift(window, evidence.input_drift, limits),
    )
    return Assessment(
        overall(triggers, limits), triggers, window.requests, limits.window_minutes, Rule.EVIDENCE
    )


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


def chances() -> Sequence[float]:
    """π(n) for n from 1 to LONGEST_TABLE, for the query that sums it up."""
    return _chances()[1:]


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


def _judge_rate(
    metric: Metric,
    pooled: Pooled,
    by_width: Sequence[Sums],
    bounds: tuple[float, int],
    in_production: bool,
) -> TriggerResult:
    threshold, minimum = bounds
    whole = by_width[WHOLE]
    found = _result(metric, pooled, threshold)
    if not whole.requests:
        return found
    breach = next(_breaches(by_width, threshold, in_production), None)
    if breach is not None:
        at, width = by_width[breach], WIDTHS[breach]
        shown = nats(at, threshold)
        value, requests, snapshots = at.rate, at.requests, at.rows
        said = f"{_over(metric, at.rate, threshold, at.requests)}, {shown:.3g} of {SURE:g} nats"
        where = "" if breach == WHOLE else f" in {width:g} of the window"
        return replace(
            found,
            verdict=Verdict.ROLLBACK,
            value=value,
            requests=requests,
            snapshots=snapshots,
            evidence_nats=shown,
            reason=said + where,
        )
    return _unsettled(found, whole, threshold, minimum)


def _breaches(by_width: Sequence[Sums], threshold: float, in_production: bool) -> Iterator[int]:
    """The positions of the widths that breach."""
    still_over = by_width[WHOLE].rate - threshold > TOLERANCE
    for index, (width, sums) in enumerate(zip(WIDTHS, by_width, strict=True)):
        if nats(sums, threshold) < SURE:
            continue
        plain = sums.rows >= FEW_ROWS or sums.rate >= 2 * threshold
        repeated = width >= 1 or sums.over >= FEW_ROWS
        lasting = still_over or not (width > 1 or in_production)
        if plain and repeated and lasting:
            yield index


def _unsettled(found: TriggerResult, sums: Sums, threshold: float, minimum: int) -> TriggerResult:
    """Neither breach nor silence: watch while it may still become one, otherwise fine."""
    label, show = LABELS[found.metric]
    against = nats(sums, threshold)
    found = replace(found, evidence_nats=against)
    if against > 0:
        # At the present rate; that of one row more than needed where bursts are not yet known.
        needed = SURE * burstiness(sums) / divergence(min(1.0, sums.rate), threshold)
        more = max(1, math.ceil(needed - sums.requests))
        return replace(
            found,
            verdict=Verdict.WATCH,
            more_requests=more,
            reason=f"{_over(found.metric, sums.rate, threshold, sums.requests)}, {against:.3g} of "
            f"{SURE:g} nats; {more:,} more like these would settle it",
        )
    if sums.requests < minimum:
        more = minimum - sums.requests
        return replace(
            found,
            verdict=Verdict.WATCH,
            more_requests=more,
            reason=f"{label} rests on {sums.requests} of {minimum} requests needed",
        )
    said = f"{label} {show(sums.rate)} ≤ {show(threshold)} over {sums.requests:,} requests"
    return replace(found, verdict=Verdict.OK, reason=said)


def _judge_latency(window: Window, sums: LatencySums, limits: Thresholds) -> TriggerResult:
    if window.expected_p95_ms is None:
        said = "no expected p95 is declared, and no former production version gives one"
        return replace(_result(Metric.LATENCY, window.latency, None), reason=said)
    limit = limits.max_latency_factor * window.expected_p95_ms
    found = _result(Metric.LATENCY, window.latency, limit)
    if not sums.rows:
        return found
    signs, share = _sign_nats(sums.over, sums.rows, max(0.5, sums.chance)), nats_of_slow(sums.slow)
    found = replace(found, evidence_nats=max(signs, share))
    if signs >= SURE:
        said = f"p95 latency was over {limit:.4g} ms in {sums.over} of {sums.rows} snapshots"
        return replace(found, verdict=Verdict.ROLLBACK, reason=f"{said}, {signs:.3g} nats")
    if share >= SURE:
        said = f"{100 * sums.slow.rate:.3g} % of requests were slower than {SLOW * limit:.4g} ms"
        return replace(found, verdict=Verdict.ROLLBACK, reason=f"{said}, {share:.3g} nats")
    if max(signs, share) > 0:
        said = f"p95 latency was over {limit:.4g} ms in {sums.over} of {sums.rows} snapshots"
        return replace(found, verdict=Verdict.WATCH, reason=f"{said}, not yet beyond doubt")
    return _settled(found, limits.min_requests)


def nats_of_slow(slow: Sums) -> float:
    """The evidence that more than SLOW_SHARE are slow; 0 unless most rows, and three, say so."""
    if slow.over < FEW_ROWS or 2 * slow.over <= slow.rows or slow.rate <= SLOW_SHARE:
        return 0.0
    return slow.requests * divergence(slow.rate, SLOW_SHARE)


def _judge_drift(window: Window, sums: Sums, limits: Thresholds) -> TriggerResult:
    found = _result(Metric.INPUT_DRIFT, window.input_drift, limits.max_input_drift)
    if not window.input_drift.requests:
        return found
    if not sums.rows:
        few = f"no snapshot has the {limits.min_requests_drift} requests that a drift score needs"
        return replace(found, verdict=Verdict.WATCH, reason=few)
    signs = _sign_nats(sums.over, sums.rows, 0.5)
    found = replace(found, evidence_nats=signs)
    over = sums.rate - limits.max_input_drift > TOLERANCE
    said = (
        f"input drift {sums.rate:.3g} {'>' if over else '≤'} {limits.max_input_drift:.3g} over "
        f"{sums.requests:,} requests, itself over in {sums.over} of {sums.rows} snapshots"
    )
    if over and signs >= SURE:
        return replace(
            found, verdict=Verdict.ROLLBACK, value=sums.rate, reason=f"{said}, {signs:.3g} nats"
        )
    if over:
        return replace(found, verdict=Verdict.WATCH, reason=f"{said}, not yet beyond doubt")
    return _settled(found, limits.min_requests_drift)


def _sign_nats(over: int, rows: int, chance: float) -> float:
    """m·KL(e/m‖p): the evidence that rows are over more often than by chance."""
    if not rows or over / rows <= chance:
        return 0.0
    return rows * divergence(over / rows, chance)


def _settled(found: TriggerResult, minimum: int) -> TriggerResult:
    """Nothing speaks against it: fine, once enough was seen."""
    label, show = LABELS[found.metric]
    if found.requests < minimum:
        more = max(1, minimum - found.requests)
        said = f"{label} rests on {found.requests} of {minimum} requests needed"
        return replace(found, verdict=Verdict.WATCH, more_requests=more, reason=said)
    value, threshold = found.value or 0.0, found.threshold or 0.0
    said = f"{label} {show(value)}, limit {show(threshold)}, over {found.requests:,} requests"
    return replace(found, verdict=Verdict.OK, reason=said)


def _result(metric: Metric, pooled: Pooled, threshold: float | None) -> TriggerResult:
    """Not reported, until something is said of it."""
    return TriggerResult(
        metric,
        Verdict.NO_DATA,
        pooled.value,
        threshold,
        pooled.requests,
        pooled.snapshots,
        f"{LABELS[metric][0]} was not reported",
    )


def _over(metric: Metric, rate: float, threshold: float, requests: int) -> str:
    label, show = LABELS[metric]
    return f"{label} {show(rate)} > {show(threshold)} over {requests:,} requests"
