"""Whole days of healthy traffic are left alone, and bad canaries are out within seconds.

A few days here; two hundred, as the table in docs/rollback-decisions.md has them, by `make soak`.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from monitoring import weighing
from tests.monitoring import simulation
from tests.monitoring.simulation import DAY, Traffic

DAYS = 200 if "ASSAY_SOAK" in os.environ else 8


@pytest.mark.parametrize("kind", [simulation.steady, simulation.seasonal])
@pytest.mark.parametrize("per_second", simulation.RATES)
def test_a_rate_just_under_the_threshold_is_left_alone(
    kind: simulation.Kind, per_second: int
) -> None:
    assert simulation.alarms(kind, Traffic(per_second, 0.049), DAYS) == 0


@pytest.mark.parametrize(("per_second", "within"), [(1, 600), (10, 80), (100, 30), (1000, 15)])
def test_a_canary_that_fails_one_request_in_ten_is_caught_soon(
    per_second: int, within: float
) -> None:
    reported = Traffic(per_second, 0.1, every=5, seconds=DAY // 12)

    assert simulation.median_catch(reported, 200) <= within


def test_what_is_computed_for_all_moments_is_what_the_product_computes() -> None:
    asked = Traffic(10, 0.06, seconds=5000)
    rows = simulation.bursts(np.random.default_rng(1), asked)

    for sums in simulation.rolling(rows, asked.every):
        at_once = simulation.nats(sums)
        one_by_one = [weighing.nats(simulation.at(sums, i), 0.05) for i in range(asked.rows)]
        assert at_once == pytest.approx(one_by_one, abs=1e-6)
