"""The evidence rule: known answers, and what holds whatever the traffic."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import evidence, weighing
from monitoring.triggers import Pooled, Rule, Thresholds, TriggerResult, Verdict, Window
from monitoring.weighing import WHOLE, WIDTHS, Evidence, LatencySums, Sums

LIMITS = Thresholds()
EVERY, LENGTH = 10, 600  # seconds between rows, and of the whole window
ERRORS = LIMITS.max_error_rate
Row = tuple[int, int]  # requests, events


def added_up(rows: Sequence[Row], threshold: float) -> Sums:
    rates = [(n, k / n) for n, k in rows if n]
    return Sums(
        rows=len(rates),
        requests=sum(n for n, _ in rates),
        events=sum(n * r for n, r in rates),
        squares=sum(n * r * r for n, r in rates),
        over=sum(r > threshold for _, r in rates),
    )


def by_width(rows: Sequence[Row], threshold: float = ERRORS) -> tuple[Sums, ...]:
    """The sums of rows EVERY seconds apart, the last of them now."""
    ages = [EVERY * (len(rows) - 1 - index) for index in range(len(rows))]
    return tuple(
        added_up(
            [row for row, age in zip(rows, ages, strict=True) if age < width * LENGTH], threshold
        )
        for width in WIDTHS
    )


def judged(
    rows: Sequence[Row], threshold: float = ERRORS, *, in_production: bool = False
) -> TriggerResult:
    """The error rate's verdict."""
    sums = by_width(rows, threshold)
    whole = sums[WHOLE]
    pooled = Pooled(whole.requests, whole.rows, whole.rate if whole.requests else None)
    found = evidence.assess(
        Window(error_rate=pooled, requests=whole.requests),
        Evidence(error_rate=sums),
        replace(LIMITS, max_error_rate=threshold),
        in_production=in_production,
    )
    assert found.rule is Rule.EVIDENCE
    return found.triggers[0]


SPIKE = [*[(1000, 10)] * 30, (1000, 300), *[(1000, 10)] * 29]
UNEVEN = [(1000, 20), (1000, 0), (1000, 130), (1000, 90), (1000, 110)]
# rows, threshold, n, k, n·KL, φ, E, verdict
KNOWN = [
    ([(1, 1)], 0.05, 1, 1, 2.995732, 1.5, 1.997155, "watch"),
    ([(6, 6)], 0.05, 6, 6, 17.974394, 1.5, 11.982929, "watch"),
    ([(7, 7)], 0.05, 7, 7, 20.970126, 1.5, 13.980084, "rollback"),
    ([(1000, 50)], 0.05, 1000, 50, 0, 1.5, 0, "ok"),
    ([(1000, 80)], 0.05, 1000, 80, 8.079041, 1.5, 5.386027, "watch"),
    ([(1000, 100)], 0.05, 1000, 100, 20.654219, 1.5, 13.769479, "rollback"),
    ([(1000, 80)] * 3, 0.05, 3000, 240, 24.237123, 1, 24.237123, "rollback"),
    ([(100, 6)] * 60, 0.05, 6000, 360, 5.952664, 1, 5.952664, "watch"),
    ([(1000, 60)] * 60, 0.05, 60000, 3600, 59.526638, 1, 59.526638, "rollback"),
    (SPIKE, 0.05, 60000, 890, 0, 95.9172, 0, "ok"),
    (UNEVEN, 0.05, 5000, 350, 18.825380, 49.9232, 0.377087, "watch"),
    ([(1000, 250)] * 3, 0.2, 3000, 750, 22.145991, 1, 22.145991, "rollback"),
    ([(100, 10)] * 6, 0.05, 600, 60, 12.392531, 1, 12.392531, "rollback"),
]


@pytest.mark.parametrize(("rows", "threshold", "n", "k", "kl", "phi", "e", "verdict"), KNOWN)
def test_known_answers(
    rows: list[Row],
    threshold: float,
    n: int,
    k: int,
    kl: float,
    phi: float,
    e: float,
    verdict: str,
) -> None:
    whole = by_width(rows, threshold)[WHOLE]
    assert (whole.requests, round(whole.events)) == (n, k)
    raw = n * weighing.divergence(k / n, threshold) if k / n > threshold else 0.0
    assert raw == pytest.approx(kl, abs=1e-6)
    assert weighing.burstiness(whole) == pytest.approx(phi, abs=1e-4)
    assert weighing.nats(whole, threshold) == pytest.approx(e, abs=1e-6)
    assert judged(rows, threshold).verdict == verdict


def test_the_share_of_slow_requests_is_read_between_the_quantiles() -> None:
    assert weighing.slow_fraction(40, 200, 420, 165) == pytest.approx(0.103787, abs=1e-6)
    assert weighing.slow_fraction(40, 200, 420, 200) == pytest.approx(0.05)
    assert weighing.slow_fraction(40, 200, 420, 419.999) == pytest.approx(0.01, abs=1e-5)
    assert [weighing.slow_fraction(40, 200, 420, at) for at in (1, 40, 420, 9e9)] == [
        0.5,
        0.5,
        0.01,
        0.01,
    ]


@pytest.mark.parametrize("n", [1, 2, 5, 14, 19, 20, 39, 40, 100, 199, 777, 1999])
def test_how_often_a_p95_is_over_by_chance(n: int) -> None:
    least = n - -(-95 * n // 100) + 1
    hit, miss = Fraction(1, 20), Fraction(19, 20)
    exact = 1 - sum(math.comb(n, k) * hit**k * miss ** (n - k) for k in range(least))

    assert weighing.chance_over(n) == pytest.approx(float(exact), abs=1e-9)


def test_chances_of_many_requests_are_those_of_the_longest_known() -> None:
    assert weighing.chance_over(10**9) == weighing.chance_over(weighing.LONGEST_TABLE)
    assert max(map(weighing.chance_over, range(1001, 2001))) <= 0.54
    assert weighing.chance_over(10**9) >= max(map(weighing.chance_over, range(1981, 2001)))


def test_the_verdict_says_how_many_more_requests_would_settle_it() -> None:
    watched = judged([(1000, 80)])

    assert watched.more_requests is not None
    more = watched.more_requests
    assert more == pytest.approx(1228, abs=1)  # 12 · 1.5 / KL − 1000
    settled = [(1000 + more, round(0.08 * (1000 + more)))]
    assert weighing.nats(added_up(settled, ERRORS), ERRORS) == pytest.approx(evidence.SURE, abs=0.1)
    assert "1,228 more like these would settle it" in watched.reason


def test_too_few_requests_are_not_called_fine() -> None:
    few = judged([(99, 0)])

    assert (few.verdict, few.more_requests) == (Verdict.WATCH, 1)
    assert judged([(100, 0)]).verdict is Verdict.OK


def test_what_is_over_no_more_does_not_take_production_back() -> None:
    outage = [*[(1000, 300)] * 6, *[(1000, 0)] * 60]

    assert judged(outage).verdict is Verdict.OK
    lasting = [*[(1000, 10)] * 54, *[(1000, 80)] * 6]
    assert judged(lasting, in_production=False).verdict is Verdict.ROLLBACK
    assert judged(lasting, in_production=True).verdict is Verdict.OK


# ---- what holds whatever the traffic ----------------------------------------------------------

rows = st.lists(
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=80
)


@given(rows, st.randoms())
def test_order_within_a_window_says_nothing(given_rows: list[Row], dealer: random.Random) -> None:
    shuffled = list(given_rows)
    dealer.shuffle(shuffled)

    one, other = added_up(given_rows, ERRORS), added_up(shuffled, ERRORS)

    assert weighing.nats(one, ERRORS) == pytest.approx(weighing.nats(other, ERRORS), abs=1e-6)


@given(rows)
def test_nothing_fires_at_or_under_the_threshold(given_rows: list[Row]) -> None:
    under = [(n, min(k, n // 20)) for n, k in given_rows]

    found = judged(under)

    assert found.verdict is not Verdict.ROLLBACK
    assert not (found.evidence_nats or 0) > 0


@given(st.integers(1, 10_000), st.floats(0.001, 0.5))
def test_more_events_are_never_less_evidence(n: int, threshold: float) -> None:
    steps = sorted({0, n // 10, n // 3, n // 2, n})

    found = [weighing.nats(added_up([(n, k)], threshold), threshold) for k in steps]

    assert all(before <= after + 1e-9 for before, after in itertools.pairwise(found))


@given(st.integers(2, 400), st.integers(0, 400), st.integers(2, 20))
def test_a_row_split_evenly_says_at_least_as_much(n: int, k: int, parts: int) -> None:
    """Rows of the same rate are less bursty than was assumed of one alone."""
    k = min(k, n)
    whole = added_up([(n * parts, k * parts)], ERRORS)
    split = added_up([(n, k)] * parts, ERRORS)

    assert weighing.nats(split, ERRORS) >= weighing.nats(whole, ERRORS) - 1e-9


def test_nothing_is_no_data() -> None:
    found = evidence.assess(Window(), Evidence(), LIMITS, in_production=True)

    assert {trigger.verdict for trigger in found.triggers} == {Verdict.NO_DATA}
    assert found.verdict is Verdict.NO_DATA


# ---- latency and drift ------------------------------------------------------------------------


def latency(sums: LatencySums, requests: int = 1000) -> TriggerResult:
    window = Window(latency=Pooled(requests, sums.rows, 160.0), expected_p95_ms=100.0)
    found = evidence.assess(window, Evidence(latency=sums), LIMITS, in_production=True)
    return found.triggers[1]


@pytest.mark.parametrize(
    ("over", "of", "verdict"),
    [(17, 17, "watch"), (18, 18, "rollback"), (30, 60, "ok"), (45, 60, "watch"), (48, 60, "watch")],
)
def test_latency_over_the_limit_in_nearly_all_rows_is_no_chance(
    over: int, of: int, verdict: str
) -> None:
    assert latency(LatencySums(rows=of, over=over)).verdict == verdict


def test_rows_that_are_often_over_by_chance_need_more_of_them() -> None:
    assert latency(LatencySums(18, 18, chance=0.622646)).verdict is Verdict.WATCH


def test_many_slow_requests_breach_though_few_rows_report_them() -> None:
    slow = Sums(rows=3, requests=300, events=60.0, squares=12.0, over=3)
    sums = LatencySums(rows=3, over=3, slow=slow)

    assert latency(sums).verdict is Verdict.ROLLBACK
    assert latency(replace(sums, slow=replace(slow, over=2))).verdict is Verdict.WATCH
    assert latency(replace(sums, slow=replace(slow, rows=6))).verdict is Verdict.WATCH


def test_watched_latency_says_how_many_more_requests_would_settle_it() -> None:
    few = latency(LatencySums(rows=10, over=10), requests=1000)
    mixed = latency(LatencySums(rows=60, over=45), requests=6000)
    slow = Sums(rows=3, requests=60, events=7.2, squares=0.9, over=3)
    tail = latency(LatencySums(rows=3, over=0, slow=slow), requests=60)

    assert few.more_requests == 800  # 18 rows of 100 are 12 nats, and 10 are there
    assert "10 of 10 snapshots; 800 more requests like these would settle it" in few.reason
    assert mixed.more_requests == 3200  # 12 / KL(¾‖½) is 91.7 rows
    assert tail.more_requests == 259  # 12 / KL(.12‖.05) is 318.3 requests
    assert weighing.sign_nats(18, 18, 0.5) >= evidence.SURE > weighing.sign_nats(17, 17, 0.5)
    assert weighing.sign_nats(69, 92, 0.5) >= evidence.SURE > weighing.sign_nats(66, 88, 0.5)


def test_watched_latency_that_no_more_would_settle_says_no_number() -> None:
    found = latency(LatencySums(rows=4, over=4), requests=0)

    assert found.more_requests is None
    assert found.reason.endswith("; not yet beyond doubt")


def drift(sums: Sums, requests: int) -> TriggerResult:
    window = Window(input_drift=Pooled(requests, sums.rows, sums.rate))
    found = evidence.assess(window, Evidence(input_drift=sums), LIMITS, in_production=True)
    return found.triggers[3]


@pytest.mark.parametrize(
    ("rows_over", "rate", "verdict"),
    [(18, 0.31, "rollback"), (17, 0.31, "watch"), (18, 0.3, "ok"), (0, 0.1, "ok")],
)
def test_drift_is_its_mean_and_most_of_its_rows(rows_over: int, rate: float, verdict: str) -> None:
    sums = Sums(rows=18, requests=18 * 500, events=18 * 500 * rate, over=rows_over)

    assert drift(sums, sums.requests).verdict == verdict


def test_watched_drift_says_how_many_more_requests_would_settle_it() -> None:
    found = drift(Sums(rows=10, requests=5000, events=2000.0, over=10), 5000)
    split = drift(Sums(rows=10, requests=5000, events=2000.0, over=5), 5000)

    assert (found.verdict, found.more_requests) == (Verdict.WATCH, 4000)
    assert "4,000 more requests like these would settle it" in found.reason
    assert (split.verdict, split.more_requests) == (Verdict.WATCH, None)


def test_drift_of_small_rows_is_as_good_as_not_reported() -> None:
    found = drift(Sums(), 5000)

    assert found.verdict is Verdict.NO_DATA
    assert "no snapshot has the 200 requests" in found.reason


def test_a_drift_score_of_small_rows_keeps_no_healthy_version_back() -> None:
    sums = by_width([(100, 1)] * 60)
    window = Window(
        error_rate=Pooled(6000, 60, 0.01), input_drift=Pooled(6000, 60, 0.05), requests=6000
    )

    found = evidence.assess(window, Evidence(error_rate=sums), LIMITS, in_production=False)

    assert found.verdict is Verdict.OK
