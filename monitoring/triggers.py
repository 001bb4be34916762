"""Decide whether a version has degraded. Pure: no database, no clock, no framework.

The ``threshold`` rule: the seed's four triggers over one window, weighted by requests. What both
rules share is here too; the other one is ``monitoring/evidence.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Metric(StrEnum):
    """What is watched, by the name its snapshots report it under."""

    ERROR_RATE = "error_rate"
    LATENCY = "latency_p95_ms"
    OOD_RATE = "ood_rate"
    INPUT_DRIFT = "input_drift_score"


class Verdict(StrEnum):
    """What a window says; too little data is never ``ok``."""

    ROLLBACK = "rollback"
    WATCH = "watch"
    NO_DATA = "no_data"
    OK = "ok"


class Rule(StrEnum):
    """How a verdict is reached."""

    THRESHOLD = "threshold"  # the pooled value is over its threshold
    EVIDENCE = "evidence"  # it is so beyond doubt


WORST_FIRST = (Verdict.ROLLBACK, Verdict.WATCH, Verdict.NO_DATA, Verdict.OK)
NO_BASELINE = "no expected p95 is declared, and no former production version gives one"
TOLERANCE = 1e-9  # a pooled rate of exactly the threshold must not fire by rounding


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The seed's limits, unless a policy says otherwise."""

    max_error_rate: float = 0.05  # share of requests
    max_latency_factor: float = 1.5  # of the expected p95
    max_ood_rate: float = 0.20  # share of requests
    max_input_drift: float = 0.3  # score, 0..1
    window_minutes: int = 10
    min_requests: int = 100  # below this a window proves nothing
    min_requests_drift: int = 200

    def since(self, now: datetime, width: float = 1.0) -> datetime:
        """When a window of so many times the policy's began that ends now."""
        return now - timedelta(minutes=width * self.window_minutes)


@dataclass(frozen=True, slots=True)
class Pooled:
    """One metric over one window, of the rows that report it."""

    requests: int = 0
    snapshots: int = 0
    value: float | None = None  # weighted by requests


@dataclass(frozen=True, slots=True)
class Window:
    """What the rows of one window add up to; ``latency`` is the weighted median of their p95."""

    error_rate: Pooled = Pooled()
    latency: Pooled = Pooled()
    ood_rate: Pooled = Pooled()
    input_drift: Pooled = Pooled()
    requests: int = 0
    expected_p95_ms: float | None = None  # the baseline; None where there is none


@dataclass(frozen=True, slots=True)
class TriggerResult:
    """One trigger's verdict, with the figures it rests on."""

    metric: Metric
    verdict: Verdict
    value: float | None
    threshold: float | None
    requests: int
    snapshots: int
    reason: str
    evidence_nats: float | None = None  # for a true value over the threshold; evidence rule only
    more_requests: int | None = None  # that would settle a watch, at the present rate


@dataclass(frozen=True, slots=True)
class Assessment:
    """All triggers of one window by one rule, and the worst of them."""

    verdict: Verdict
    triggers: tuple[TriggerResult, ...]
    requests: int
    window_minutes: int
    rule: Rule = Rule.THRESHOLD

    @property
    def breaches(self) -> tuple[TriggerResult, ...]:
        """The triggers that ask for a rollback."""
        return tuple(t for t in self.triggers if t.verdict is Verdict.ROLLBACK)

    @property
    def reasons(self) -> tuple[str, ...]:
        """A sentence for each breach."""
        return tuple(trigger.reason for trigger in self.breaches)


def assess(window: Window, limits: Thresholds) -> Assessment:
    """Judge one window by the threshold rule."""
    triggers = (
        _judge(Metric.ERROR_RATE, window.error_rate, limits.max_error_rate, limits.min_requests),
        _judge_latency(window, limits),
        _judge(Metric.OOD_RATE, window.ood_rate, limits.max_ood_rate, limits.min_requests),
        _judge(
            Metric.INPUT_DRIFT,
            window.input_drift,
            limits.max_input_drift,
            limits.min_requests_drift,
        ),
    )
    return Assessment(overall(triggers, limits), triggers, window.requests, limits.window_minutes)


def overall(triggers: Sequence[TriggerResult], limits: Thresholds) -> Verdict:
    """The worst of the four; metrics without data are passed over once the error rate has enough.

    Args:
        triggers: The error rate's first.
    """
    error_rate = triggers[0]
    enough = error_rate.requests >= limits.min_requests
    weighed = [t for t in triggers if not (enough and t.verdict is Verdict.NO_DATA)]
    return min((t.verdict for t in weighed), key=WORST_FIRST.index)


def _judge(metric: Metric, pooled: Pooled, threshold: float, minimum: int) -> TriggerResult:
    found = _result(metric, pooled, threshold, *_weigh(metric, pooled, threshold, minimum))
    if found.verdict is Verdict.WATCH:
        return replace(found, more_requests=minimum - pooled.requests)
    return found


def _judge_latency(window: Window, limits: Thresholds) -> TriggerResult:
    if window.expected_p95_ms is None:
        return _result(
            Metric.LATENCY,
            window.latency,
            None,
            Verdict.NO_DATA,
            NO_BASELINE,
        )
    threshold = limits.max_latency_factor * window.expected_p95_ms
    return _judge(Metric.LATENCY, window.latency, threshold, limits.min_requests)


def _weigh(metric: Metric, pooled: Pooled, threshold: float, minimum: int) -> tuple[Verdict, str]:
    label, show = LABELS[metric]
    if pooled.requests == 0 or pooled.value is None:
        return Verdict.NO_DATA, f"{label} was not reported"
    if pooled.requests < minimum:
        return Verdict.WATCH, too_few(metric, pooled.requests, minimum)
    over = pooled.value - threshold > TOLERANCE
    sign = ">" if over else "≤"
    said = (
        f"{label} {show(pooled.value)} {sign} {show(threshold)} over {pooled.requests:,} requests"
    )
    return (Verdict.ROLLBACK if over else Verdict.OK), said


def too_few(metric: Metric, requests: int, minimum: int) -> str:
    """The sentence of a trigger that has not seen enough."""
    return f"{LABELS[metric][0]} rests on {requests} of {minimum} requests needed"


def _result(
    metric: Metric, pooled: Pooled, threshold: float | None, verdict: Verdict, reason: str
) -> TriggerResult:
    return TriggerResult(
        metric, verdict, pooled.value, threshold, pooled.requests, pooled.snapshots, reason
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _milliseconds(value: float) -> str:
    return f"{value:.4g} ms"


def _score(value: float) -> str:
    return f"{value:.3g}"


LABELS: dict[Metric, tuple[str, Callable[[float], str]]] = {
    Metric.ERROR_RATE: ("error rate", _percent),
    Metric.LATENCY: ("p95 latency", _milliseconds),
    Metric.OOD_RATE: ("out-of-distribution rate", _percent),
    Metric.INPUT_DRIFT: ("input drift", _score),
}
