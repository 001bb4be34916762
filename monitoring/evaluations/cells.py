"""Counts by group, label and prediction: all that group fairness needs. Pure.

Cells are int64 and add, so shards merge exactly. Every attribute and every intersection is a
marginal of one table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from assay.divergence import Counts

TN, FP, FN, TP = range(4)  # favourable is positive: by label first, then by prediction


@dataclass(frozen=True, eq=False)
class Cells:
    """One row of ``keys`` [groups, attributes] and of ``counts`` [groups, tn fp fn tp] a group."""

    attributes: tuple[str, ...]
    keys: Counts
    counts: Counts

    @classmethod
    def of(
        cls,
        groups: Mapping[str, Counts],
        favoured: npt.NDArray[np.bool_],
        chosen: npt.NDArray[np.bool_],
    ) -> Self:
        """Count rows by the codes of every attribute at once.

        Args:
            favoured: Whether the row's label is the favourable one.
            chosen: Whether the favourable label is predicted for it.
        """
        spaces = [np.unique(codes, return_inverse=True) for codes in groups.values()]
        sizes = [len(values) for values, _ in spaces]
        joint = np.ravel_multi_index([at for _, at in spaces], sizes)
        distinct, at = np.unique(joint, return_inverse=True)
        cells = np.bincount(at * 4 + favoured * 2 + chosen, minlength=4 * distinct.size)
        places = zip(spaces, np.unravel_index(distinct, sizes), strict=True)
        keys = np.stack([values[place] for (values, _), place in places], axis=1)
        return cls(tuple(groups), keys.astype(np.int64), cells.reshape(-1, 4).astype(np.int64))

    def by(self, attributes: Sequence[str]) -> Self:
        """The marginal of some of the attributes, its groups in order of their codes."""
        chosen = [self.attributes.index(attribute) for attribute in attributes]
        return self._gathered(tuple(attributes), self.keys[:, chosen], self.counts)

    def __add__(self, other: Self) -> Self:
        same = other.by(self.attributes)
        return self._gathered(
            self.attributes,
            np.concatenate([self.keys, same.keys]),
            np.concatenate([self.counts, same.counts]),
        )

    @property
    def rows(self) -> Counts:
        """Rows of each group."""
        return np.asarray(self.counts.sum(axis=1))

    @classmethod
    def _gathered(cls, attributes: tuple[str, ...], keys: Counts, counts: Counts) -> Self:
        """Sum the counts of equal keys."""
        distinct, at = np.unique(keys, axis=0, return_inverse=True)
        summed = np.zeros((len(distinct), 4), dtype=np.int64)
        np.add.at(summed, at.ravel(), counts)
        return cls(attributes, distinct, summed)
