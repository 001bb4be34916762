"""The threshold rule: the seed's words, at their boundaries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.triggers import (
    Assessment,
    Metric,
    Pooled,
    Thresholds,
    TriggerResult,
    Verdict,
    Window,
    assess,
)

LIMITS = Thresholds()


def window(**pools: Any) -> Window:
    healthy = Window(error_rate=Pooled(1000, 10, 0.01), requests=1000)
    return replace(healthy, **pools)


def result(found: Assessment, metric: Metric) -> TriggerResult:
    return next(t for t in found.triggers if t.metric is metric)


@pytest.mark.parametrize(
    ("pooled", "verdict"),
    [
        (Pooled(), Verdict.NO_DATA),
        (Pooled(1, 1, 1.0), Verdict.WATCH),
        (Pooled(99, 1, 1.0), Verdict.WATCH),
        (Pooled(100, 1, 0.05), Verdict.OK),
        (Pooled(100, 1, 0.06), Verdict.ROLLBACK),
        (Pooled(1000, 1, 0.05 + 1e-12), Verdict.OK),  # a rounding error is no breach
        (Pooled(1000, 1, 0.051), Verdict.ROLLBACK),
        (Pooled(1000, 1, 0.0), Verdict.OK),
    ],
)
def test_error_rate_is_judged_once_there_are_a_hundred_requests(
    pooled: Pooled, verdict: Verdict
) -> None:
    found = assess(window(error_rate=pooled, requests=pooled.requests), LIMITS)

    assert result(found, Metric.ERROR_RATE).verdict is verdict
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("name", "metric", "at", "over"),
    [
        ("ood_rate", Metric.OOD_RATE, 0.20, 0.21),
        ("input_drift", Metric.INPUT_DRIFT, 0.3, 0.31),
    ],
)
def test_rates_breach_only_over_their_threshold(
    name: str, metric: Metric, at: float, over: float
) -> None:
    on_it = assess(window(**{name: Pooled(1000, 10, at)}), LIMITS)
    over_it = assess(window(**{name: Pooled(1000, 10, over)}), LIMITS)

    assert result(on_it, metric).verdict is Verdict.OK
    assert result(over_it, metric).verdict is Verdict.ROLLBACK


def test_drift_needs_two_hundred_requests() -> None:
    few = assess(window(input_drift=Pooled(199, 1, 0.9)), LIMITS)
    enough = assess(window(input_drift=Pooled(200, 1, 0.9)), LIMITS)

    assert few.verdict is Verdict.WATCH
    assert enough.verdict is Verdict.ROLLBACK


def test_latency_breaches_at_half_more_than_expected() -> None:
    at = assess(window(latency=Pooled(1000, 10, 150.0), expected_p95_ms=100.0), LIMITS)
    over = assess(window(latency=Pooled(1000, 10, 150.1), expected_p95_ms=100.0), LIMITS)

    assert at.verdict is Verdict.OK
    assert over.verdict is Verdict.ROLLBACK
    assert over.reasons == ("p95 latency 150.1 ms > 150 ms over 1,000 requests",)


def test_latency_without_a_baseline_is_shown_and_does_not_block() -> None:
    found = assess(window(latency=Pooled(1000, 10, 9_999.0)), LIMITS)

    latency = result(found, Metric.LATENCY)
    assert (latency.verdict, latency.value, latency.threshold) == (Verdict.NO_DATA, 9_999.0, None)
    assert "no expected p95" in latency.reason
    assert found.verdict is Verdict.OK


def test_an_empty_window_is_no_data() -> None:
    assert assess(Window(), LIMITS).verdict is Verdict.NO_DATA


def test_unreported_errors_leave_no_window_ok() -> None:
    found = assess(Window(ood_rate=Pooled(1000, 10, 0.01), requests=1000), LIMITS)

    assert found.verdict is Verdict.NO_DATA


def test_a_breach_outweighs_everything_else() -> None:
    found = assess(window(error_rate=Pooled(5, 1, 0.0), ood_rate=Pooled(1000, 10, 0.5)), LIMITS)

    assert found.verdict is Verdict.ROLLBACK
    assert found.reasons == ("out-of-distribution rate 50 % > 20 % over 1,000 requests",)


def test_every_breach_gives_its_reason() -> None:
    found = assess(
        window(
            error_rate=Pooled(1000, 10, 0.08),
            latency=Pooled(1000, 10, 400.0),
            ood_rate=Pooled(1000, 10, 0.25),
            input_drift=Pooled(1000, 10, 0.4),
            expected_p95_ms=100.0,
        ),
        LIMITS,
    )

    assert [t.metric for t in found.breaches] == list(Metric)
    assert found.reasons[0] == "error rate 8 % > 5 % over 1,000 requests"


@given(
    requests=st.integers(0, 10_000),
    rate=st.floats(0, 1),
    threshold=st.floats(0.01, 0.99),
)
def test_nothing_fires_at_or_under_its_threshold_or_on_too_little(
    requests: int, rate: float, threshold: float
) -> None:
    limits = replace(LIMITS, max_error_rate=threshold)
    pooled = Pooled(requests, 1, rate) if requests else Pooled()

    found = assess(Window(error_rate=pooled, requests=requests), limits)

    if requests == 0:
        assert found.verdict is Verdict.NO_DATA
    elif rate <= threshold or requests < limits.min_requests:
        assert found.verdict is not Verdict.ROLLBACK


@given(worse=st.floats(0.06, 1), much_worse=st.floats(0, 0.5))
def test_a_worse_rate_never_helps(worse: float, much_worse: float) -> None:
    first = assess(window(error_rate=Pooled(1000, 1, worse)), LIMITS)
    second = assess(window(error_rate=Pooled(1000, 1, min(1.0, worse + much_worse))), LIMITS)

    assert first.verdict is second.verdict is Verdict.ROLLBACK
