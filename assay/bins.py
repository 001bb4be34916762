"""Bins frozen from a reference sample: where a value belongs, for ever. Pure.

Edges come from the reference alone and never from the batch that is judged: with edges of the
current batch one outlier stretches the bins and hides a shift of a whole standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from assay.divergence import Counts, Floats

DECILES = 10
TAIL = 0.001  # share of the reference beyond each tail edge
MASS = 0.1  # a value with this share of the reference gets a bin of its own
TOP = 50  # most frequent categories with a bin of their own

Json = dict[str, Any]
Values = npt.ArrayLike | Sequence[float | None] | Sequence[str | None]


@dataclass(frozen=True)
class NumericBins:
    """Right-closed bins between ``edges``, open at both ends, and one last bin for missing values.

    Bin i holds edges[i-1] < x <= edges[i]. NaN is missing; infinities fall into the tails.
    """

    edges: tuple[float, ...]

    @classmethod
    def freeze(cls, values: Values) -> Self:
        """Take the distinct decile edges, both tail edges and a bin for each mass point."""
        numbers = np.asarray(values, dtype=np.float64)
        numbers = numbers[np.isfinite(numbers)]
        if not numbers.size:
            return cls(())
        low, high = np.quantile(numbers, [TAIL, 1 - TAIL])
        mass = mass_points(numbers)
        edges = np.concatenate(
            [quantile_edges(numbers), _just_below(mass), mass, _just_below(np.array([low])), [high]]
        )
        return cls(tuple(np.unique(edges).tolist()))

    @property
    def size(self) -> int:
        """Number of bins, the missing bin included."""
        return len(self.edges) + 2

    def assign(self, values: Values) -> Counts:
        """The bin of each value."""
        numbers = np.asarray(values, dtype=np.float64)
        bins = np.searchsorted(np.array(self.edges, dtype=np.float64), numbers, side="left")
        return np.where(np.isnan(numbers), self.size - 1, bins).astype(np.int64)

    def to_json(self) -> Json:
        """The stored form."""
        return {"kind": "numeric", "edges": list(self.edges)}

    @classmethod
    def from_json(cls, stored: Json) -> Self:
        """Read the stored form."""
        return cls(tuple(float(edge) for edge in stored["edges"]))


@dataclass(frozen=True)
class CategoricalBins:
    """A bin for each of the ``top`` values, then other, unseen and missing.

    *Other* holds the rarer values of the reference, *unseen* what the reference never had. Values
    are all numbers or all strings; NaN and None are missing.
    """

    top: tuple[float | str, ...]
    rest: tuple[float | str, ...]

    @classmethod
    def freeze(cls, values: Values) -> Self:
        """Give the most frequent values a bin each; of equally frequent ones the smaller first."""
        known, missing = _categories(values)
        found, counts = np.unique(known[~missing], return_counts=True)
        ranked = found[np.argsort(-counts, kind="stable")]
        return cls(tuple(ranked[:TOP].tolist()), tuple(sorted(ranked[TOP:].tolist())))

    @property
    def size(self) -> int:
        """Number of bins: the top values, other, unseen, missing."""
        return len(self.top) + 3

    def assign(self, values: Values) -> Counts:
        """The bin of each value.

        Raises:
            ValueError: The reference holds numbers and the values are strings, or the reverse.
        """
        known, missing = _categories(values)
        other, unseen, absent = range(len(self.top), self.size)
        seen = np.array([*self.top, *self.rest])
        if not seen.size or missing.all():
            return np.where(missing, absent, unseen).astype(np.int64)
        if seen.dtype.kind != known.dtype.kind:
            raise ValueError("categories are all numbers or all strings, as in the reference")
        order = np.argsort(seen)
        at = order[np.searchsorted(seen, known, sorter=order).clip(max=seen.size - 1)]
        bins = np.where(seen[at] == known, np.minimum(at, other), unseen)
        return np.where(missing, absent, bins).astype(np.int64)

    def to_json(self) -> Json:
        """The stored form."""
        return {"kind": "categorical", "top": list(self.top), "rest": list(self.rest)}

    @classmethod
    def from_json(cls, stored: Json) -> Self:
        """Read the stored form."""
        return cls(_stored_categories(stored["top"]), _stored_categories(stored["rest"]))


Bins = NumericBins | CategoricalBins


def read_bins(stored: Json) -> Bins:
    """Read either kind of bins.

    Raises:
        ValueError: The kind is not known.
    """
    kinds: dict[str, type[NumericBins | CategoricalBins]] = {
        "numeric": NumericBins,
        "categorical": CategoricalBins,
    }
    if stored["kind"] not in kinds:
        raise ValueError(f"bins of kind {stored['kind']!r} are not known")
    return kinds[stored["kind"]].from_json(stored)


def quantile_edges(values: Values, bins: int = DECILES) -> Floats:
    """The inner edges of ``bins`` bins with equal shares, linear between values; may repeat."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.asarray(np.quantile(numbers, np.arange(1, bins) / bins), dtype=np.float64)


def mass_points(values: Floats) -> Floats:
    """The values that hold a tenth of the sample or more each."""
    found, counts = np.unique(values, return_counts=True)
    return np.asarray(found[counts >= MASS * values.size], dtype=np.float64)


def _just_below(values: Floats) -> Floats:
    """The greatest floats under ``values``: as an edge it leaves the value to the next bin."""
    return np.asarray(np.nextafter(values, -np.inf))


def _categories(values: Values) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Values as float64 or str, and which of them are missing."""
    raw = np.asarray(values)
    if raw.dtype.kind in "fiub":
        numbers = raw.astype(np.float64)
        return numbers, np.isnan(numbers)
    missing = np.array([value is None for value in raw], dtype=np.bool_)
    return np.where(missing, "", raw).astype(str), missing


def _stored_categories(stored: list[Any]) -> tuple[float | str, ...]:
    """Categories out of JSON, where some writers turn 1.0 into 1."""
    return tuple(value if isinstance(value, str) else float(value) for value in stored)
