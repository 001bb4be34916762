"""Known answers by hand: rows whose group the features give away, and rows where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from demo import mitigation

ROWS = 20_000


def two_groups(rate: float, other: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities in two groups of equal size, of which ``rate`` and ``other`` are over one half."""
    rng = np.random.default_rng(5)
    members = np.zeros((ROWS, 2), dtype=np.bool_)
    members[: ROWS // 2, 0] = members[ROWS // 2 :, 1] = True
    shift = np.where(members[:, 0], rate, other) - 0.5
    return np.clip(rng.random(ROWS) + shift, 0, 1), members


def ratio(rates: np.ndarray) -> float:
    return float(rates.min() / rates.max())


def test_likeness_is_one_where_nothing_is_given_away() -> None:
    members = np.array([[True, False], [True, False], [True, False], [False, True]])
    posterior = np.tile([0.75, 0.25], (4, 1))

    assert mitigation.likeness(posterior, members).tolist() == [[1.0, 1.0]] * 4


def test_likeness_is_how_much_likelier_than_on_average() -> None:
    members = np.array([[True, False], [True, False], [True, False], [False, True]])

    found = mitigation.likeness(members.astype(np.float64), members)

    assert found[0].tolist() == pytest.approx([4 / 3, 0.0])
    assert found[3].tolist() == pytest.approx([0.0, 4.0])


def test_equal_rates_need_no_compensation() -> None:
    probability, members = two_groups(0.5, 0.5)
    likeness = mitigation.likeness(members.astype(np.float64), members)

    found = mitigation.compensate(probability, likeness, members, floor=0.9)

    assert found.weights.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("floor", [0.8, 0.9])
def test_rates_end_at_the_floor_and_not_above(floor: float) -> None:
    probability, members = two_groups(0.6, 0.3)
    likeness = mitigation.likeness(members.astype(np.float64), members)

    found = mitigation.compensate(probability, likeness, members, floor=floor)

    assert ratio(found.rates) == pytest.approx(floor, abs=0.01)
    assert found.weights[0] < 0 < found.weights[1]


def test_who_gives_nothing_away_cannot_be_compensated() -> None:
    probability, members = two_groups(0.6, 0.3)
    nobody = np.zeros((ROWS, 2))

    found = mitigation.compensate(probability, nobody, members, floor=0.9)

    assert ratio(found.rates) == pytest.approx(0.5, abs=0.02)
    assert found.scores(probability, nobody) == pytest.approx(np.clip(probability, 0.01, 0.99))


def test_moved_scores_select_as_the_rule_says() -> None:
    probability, members = two_groups(0.6, 0.3)
    likeness = mitigation.likeness(members.astype(np.float64), members)
    found = mitigation.compensate(probability, likeness, members, floor=0.9)

    selected = found.scores(probability, likeness) >= 0.5

    assert selected[members[:, 0]].mean() == pytest.approx(found.rates[0], abs=1e-3)
    assert selected[members[:, 1]].mean() == pytest.approx(found.rates[1], abs=1e-3)


def test_a_moved_score_stays_a_probability() -> None:
    compensation = mitigation.Compensation(np.array([-5.0, 5.0]), np.zeros(2))

    moved = compensation.scores(np.array([0.5, 0.5]), np.eye(2))

    assert moved.tolist() == [0.01, 0.99]
