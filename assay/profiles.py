"""The frozen reference profile: how each input was distributed where the model was judged. Pure.

A profile is measured once and never changes. A serving process reads its JSON, counts what it
sees into the same bins and compares. Counts are int64, so they add: batches, processes and days
merge exactly, in any order.

    profile = Profile.from_json(stored)
    counts = profile.count({"age": [31, 54], "hours": [40, None]})
    report = drift.compare(profile, counts)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from assay.bins import Bins, CategoricalBins, Json, NumericBins, Values, read_bins
from assay.divergence import Counts, drift_distance
from assay.ood import EnergyThreshold

FORMAT = "assay.profile/1"
NULL_QUANTILE = 0.99
MIN_ROWS = 200  # fewer rows have no drift score
DRIFT_LIMIT = 0.3  # the trigger's default threshold of input_drift_score

Columns = Mapping[str, Values]


@dataclass(frozen=True, eq=False)
class Feature:
    """One input of the model: its bins, the reference counts and its null.

    ``null`` is the 99th percentile of the drift score over moving blocks of the reference, as
    long as a drift window: what the feature scores when nothing is wrong. None: not measured.
    """

    name: str
    bins: Bins
    counts: Counts
    null: float | None = None

    def monitored(self, limit: float = DRIFT_LIMIT) -> bool:
        """Whether a score over ``limit`` would mean anything."""
        return self.null is None or self.null <= limit

    def to_json(self) -> Json:
        """The stored form."""
        return {
            "name": self.name,
            **self.bins.to_json(),
            "counts": self.counts.tolist(),
            "null": self.null,
        }

    @classmethod
    def from_json(cls, stored: Json) -> Self:
        """Read the stored form.

        Raises:
            ValueError: The counts do not fit the bins.
        """
        bins = read_bins(stored)
        counts = np.array(stored["counts"], dtype=np.int64)
        if counts.shape != (bins.size,) or counts.min() < 0 or counts.sum() == 0:
            raise ValueError(f"the counts of {stored['name']!r} do not fit its bins")
        null = stored["null"]
        return cls(stored["name"], bins, counts, None if null is None else float(null))


@dataclass(frozen=True, eq=False)
class Profile:
    """The reference of every feature, and the energy under which an input is out of distribution."""

    features: tuple[Feature, ...]
    ood: EnergyThreshold | None = None

    @classmethod
    def freeze(
        cls,
        columns: Columns,
        *,
        categorical: Collection[str] = (),
        block_rows: int | None = None,
        ood: EnergyThreshold | None = None,
    ) -> Self:
        """Measure the reference.

        Args:
            categorical: Names of the columns whose values are names, not amounts.
            block_rows: Rows of a drift window; the reference must then be in order of time.
                None leaves every null unmeasured.

        Raises:
            ValueError: The reference is empty or its columns differ in length.
        """
        if not _rows(columns):
            raise ValueError("a reference needs at least one row")
        features = tuple(
            _freeze(
                name, values, CategoricalBins if name in categorical else NumericBins, block_rows
            )
            for name, values in columns.items()
        )
        return cls(features, ood)

    @property
    def reference(self) -> Counts:
        """The reference counts as one vector, laid out as ``count`` lays them out."""
        return np.concatenate([feature.counts for feature in self.features])

    @property
    def rows(self) -> int:
        """Rows of the reference."""
        return int(self.features[0].counts.sum())

    def count(self, columns: Columns) -> Counts:
        """Count a batch into the bins: one vector, all features one after another.

        Raises:
            ValueError: A feature is missing, or the columns differ in length.
        """
        absent = [feature.name for feature in self.features if feature.name not in columns]
        if absent:
            raise ValueError(f"the batch lacks the features {', '.join(absent)}")
        _rows(columns)
        return np.concatenate(
            [
                np.bincount(f.bins.assign(columns[f.name]), minlength=f.bins.size)
                for f in self.features
            ]
        ).astype(np.int64)

    def empty(self) -> Counts:
        """Counts of no rows at all, to add to."""
        return np.zeros_like(self.reference)

    def split(self, counts: Counts) -> Iterator[tuple[Feature, Counts]]:
        """Take a vector of counts apart: each feature with its own.

        Raises:
            ValueError: The vector was counted with another profile.
        """
        ends = np.cumsum([feature.bins.size for feature in self.features])
        if counts.shape != (ends[-1],):
            raise ValueError("these counts belong to another profile")
        return zip(self.features, np.split(counts, ends[:-1]), strict=True)

    def unmonitored(self, limit: float = DRIFT_LIMIT) -> list[str]:
        """The features whose score crosses ``limit`` by itself, by name."""
        return [feature.name for feature in self.features if not feature.monitored(limit)]

    def to_json(self) -> Json:
        """The stored form, versioned."""
        return {
            "format": FORMAT,
            "rows": self.rows,
            "features": [feature.to_json() for feature in self.features],
            "ood": None if self.ood is None else self.ood.to_json(),
        }

    @classmethod
    def from_json(cls, stored: Json) -> Self:
        """Read the stored form.

        Raises:
            ValueError: The format is not this one, or a feature does not hold together.
        """
        if stored.get("format") != FORMAT:
            raise ValueError(f"this reads {FORMAT}, not {stored.get('format')!r}")
        ood = stored["ood"]
        return cls(
            tuple(Feature.from_json(feature) for feature in stored["features"]),
            None if ood is None else EnergyThreshold.from_json(ood),
        )


def named_columns(matrix: npt.NDArray[Any], names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """The columns of a feature matrix [n, d] by name."""
    return dict(zip(names, matrix.T, strict=True))


def block_null(bins: Counts, size: int, block_rows: int) -> float | None:
    """The 99th percentile of the drift score of moving blocks against the whole.

    Blocks move by an eighth of their length. A block is part of the reference it is held
    against, which makes the null a little smaller than for rows to come.

    Returns:
        None where a block has fewer than 200 rows or the reference holds fewer than two blocks.
    """
    step = max(1, block_rows // 8)
    length = step * (block_rows // step)
    if length < MIN_ROWS or bins.size < 2 * length:
        return None
    steps = bins.size // step
    cells = np.arange(steps * step) // step * size + bins[: steps * step]
    by_step = np.bincount(cells, minlength=steps * size).reshape(steps, size)
    sums = np.concatenate([np.zeros((1, size), dtype=np.int64), np.cumsum(by_step, axis=0)])
    blocks = sums[length // step :] - sums[: -(length // step)]
    whole = np.broadcast_to(np.bincount(bins, minlength=size), blocks.shape)
    return float(np.quantile(drift_distance(whole, blocks), NULL_QUANTILE))


def _freeze(
    name: str,
    values: Values,
    kind: type[NumericBins | CategoricalBins],
    block_rows: int | None,
) -> Feature:
    bins = kind.freeze(values)
    at = bins.assign(values)
    null = None if block_rows is None else block_null(at, bins.size, block_rows)
    return Feature(name, bins, np.bincount(at, minlength=bins.size).astype(np.int64), null)


def _rows(columns: Columns) -> int:
    lengths = {len(np.asarray(values)) for values in columns.values()}
    if len(lengths) != 1:
        raise ValueError("the columns differ in length")
    return int(lengths.pop())
