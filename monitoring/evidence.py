"""Decide by evidence: is the true value over its threshold beyond doubt? Pure.

The ``evidence`` rule (rule R) rolls back where some window's rows weigh SURE nats against a true
value within the threshold. It needs only sums, so late, repeated and shuffled rows are harmless,
and a healthy model close to its threshold is left alone for ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from monitoring.triggers import (
    LABELS,
    NO_BASELINE,
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
    too_few,
)
from monitoring.weighing import (
    FEW_ROWS,
    SLOW,
    SLOW_SHARE,
    WHOLE,
    WIDTHS,
    Evidence,
    LatencySums,
    Sums,
    burstiness,
    divergence,
    nats,
    nats_of_slow,
    sign_nats,
)

SURE = 12.0  # nats: a false alarm in 160,000 looks at independent requests


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
        against = nats(at, threshold)
        said = f"{_over(metric, at.rate, threshold, at.requests)}, {against:.3g} of {SURE:g} nats"
        where = "" if breach == WHOLE else f" in {width:g} of the window"
        return replace(
            found,
            verdict=Verdict.ROLLBACK,
            value=at.rate,
            requests=at.requests,
            snapshots=at.rows,
            evidence_nats=against,
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
    against = nats(sums, threshold)
    found = replace(found, evidence_nats=against)
    if against > 0:
        # At the present rate, in rows that scatter as these do.
        needed = SURE * burstiness(sums) / divergence(min(1.0, sums.rate), threshold)
        more = max(1, math.ceil(needed - sums.requests))
        return replace(
            found,
            verdict=Verdict.WATCH,
            more_requests=more,
            reason=f"{_over(found.metric, sums.rate, threshold, sums.requests)}, {against:.3g} of "
            f"{SURE:g} nats; {more:,} more like these would settle it",
        )
    return _settled(found, minimum)


def _judge_latency(window: Window, sums: LatencySums, limits: Thresholds) -> TriggerResult:
    if window.expected_p95_ms is None:
        return replace(_result(Metric.LATENCY, window.latency, None), reason=NO_BASELINE)
    limit = limits.max_latency_factor * window.expected_p95_ms
    found = _result(Metric.LATENCY, window.latency, limit)
    if not sums.rows:
        return found
    signs, share = sign_nats(sums.over, sums.rows, max(0.5, sums.chance)), nats_of_slow(sums.slow)
    found = replace(found, evidence_nats=max(signs, share))
    if signs >= SURE:
        said = f"p95 latency was over {limit:.4g} ms in {sums.over} of {sums.rows} snapshots"
        return replace(found, verdict=Verdict.ROLLBACK, reason=f"{said}, {signs:.3g} nats")
    if share >= SURE:
        said = f"{100 * sums.slow.rate:.3g} % of requests were slower than {SLOW * limit:.4g} ms"
        return replace(found, verdict=Verdict.ROLLBACK, reason=f"{said}, {share:.3g} nats")
    if max(signs, share) > 0:
        said = f"p95 latency was over {limit:.4g} ms in {sums.over} of {sums.rows} snapshots"
        return _watched(found, said, _more_for_latency(found, sums))
    return _settled(found, limits.min_requests)


def _more_for_latency(found: TriggerResult, sums: LatencySums) -> int | None:
    """Requests until either way of telling would settle it, whichever is sooner."""
    slow = sums.slow
    by_share = (
        rows_that_settle(slow.requests, slow.rate, SLOW_SHARE) if nats_of_slow(slow) else None
    )
    by_sign = _more_by_sign(sums.over, sums.rows, max(0.5, sums.chance), found)
    return min((more for more in (by_share, by_sign) if more is not None), default=None)


def _more_by_sign(over: int, rows: int, chance: float, found: TriggerResult) -> int | None:
    """Requests of the rows that would settle a sign test; None where no more of these would."""
    if not found.requests or not sign_nats(over, rows, chance):
        return None
    return math.ceil(rows_that_settle(rows, over / rows, chance) * found.requests / found.snapshots)


def rows_that_settle(seen: int, share: float, chance: float) -> int:
    """How many more of which ``share`` is over weigh SURE nats against ``chance``; at least 1."""
    return max(1, math.ceil(SURE / divergence(min(1.0, share), chance) - seen))


def _judge_drift(window: Window, sums: Sums, limits: Thresholds) -> TriggerResult:
    found = _result(Metric.INPUT_DRIFT, window.input_drift, limits.max_input_drift)
    if not window.input_drift.requests:
        return found
    if not sums.rows:
        # As good as not reported: waiting would not settle it, so a canary must not wait for it.
        few = f"no snapshot has the {limits.min_requests_drift} requests that a drift score needs"
        return replace(found, reason=few)
    signs = sign_nats(sums.over, sums.rows, 0.5)
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
        kept = replace(found, requests=sums.requests, snapshots=sums.rows)
        return _watched(found, said, _more_by_sign(sums.over, sums.rows, 0.5, kept))
    return _settled(found, limits.min_requests_drift)


def _watched(found: TriggerResult, said: str, more: int | None) -> TriggerResult:
    """Over its threshold, and not beyond doubt yet."""
    left = f"{more:,} more requests like these would settle it" if more else "not yet beyond doubt"
    return replace(found, verdict=Verdict.WATCH, more_requests=more, reason=f"{said}; {left}")


def _settled(found: TriggerResult, minimum: int) -> TriggerResult:
    """Nothing speaks against it: fine, once enough was seen."""
    label, show = LABELS[found.metric]
    if found.requests < minimum:
        return replace(
            found,
            verdict=Verdict.WATCH,
            more_requests=minimum - found.requests,
            reason=too_few(found.metric, found.requests, minimum),
        )
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
