"""Fewer selections lost to one's group, without knowing anyone's group when asked. Pure.

Among all rules that see only the features x, the most accurate one that keeps every group's rate
of selection at ``floor`` times every other's or more still selects by a threshold, but moves it
from person to person by how likely x makes each group (Menon and Williamson 2018, *The cost of
fairness in binary classification*):

    select  ⇔  p(x) − 1/2 + Σ_g c_g w_g(x) ≥ 0,      w_g(x) = P(g | x) / P(g)

The c_g come from the multipliers of the constraints floor · r_b ≤ r_a, one for each ordered pair
of groups, raised while theirs is broken and lowered while it is not (the dual of Agarwal et al.
2018, *A reductions approach to fair classification*). Group membership is used here, in training,
and nowhere else: the final network learns the moved scores from x alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

ROUNDS = 300
FIRST_STEP = 0.03
COOLING = 30  # rounds after which the step has halved
LEAST, MOST = 0.01, 0.99  # a moved score stays a probability


@dataclass(frozen=True, eq=False)
class Compensation:
    """What is added to a score: ``weights`` [groups] times how likely each group is."""

    weights: Floats
    rates: Floats  # of selection, group by group, on the rows it was found on

    def scores(self, probability: Floats, likeness: Floats) -> Floats:
        """The moved scores."""
        return np.clip(probability + likeness @ self.weights, LEAST, MOST)


def likeness(posterior: Floats, members: Flags) -> Floats:
    """How many times likelier than on average each row makes each group: P(g | x) / P(g)."""
    return np.asarray(posterior / members.mean(axis=0))


def compensate(
    probability: Floats, likeness: Floats, members: Flags, *, floor: float
) -> Compensation:
    """Find the least compensation that keeps every rate within ``floor`` of every other.

    Args:
        probability: p(x) of each row.
        likeness: w_g(x) [rows, groups]; a row of zeros is never moved.
        members: Who belongs to which group [rows, groups].
        floor: The smallest ratio of two rates of selection, 0 < floor < 1.
    """
    shares = members / members.sum(axis=0)  # of its group, each row
    groups = members.shape[1]
    multipliers = np.zeros((groups, groups))  # [a, b] is that of floor · r_b ≤ r_a
    weights, rates = np.zeros(groups), np.zeros(groups)
    for spent in range(ROUNDS):
        weights = multipliers.sum(axis=1) - floor * multipliers.sum(axis=0)
        selected = probability - 0.5 + likeness @ weights >= 0
        rates = selected.astype(np.float64) @ shares
        step = FIRST_STEP / (1 + spent / COOLING)
        shortfall = floor * rates[np.newaxis, :] - rates[:, np.newaxis]
        multipliers = np.maximum(0.0, multipliers + step * shortfall)
        np.fill_diagonal(multipliers, 0.0)
    return Compensation(weights, rates)
