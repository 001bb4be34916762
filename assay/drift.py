"""Input drift: a window of counted inputs against the frozen reference. Pure.

``input_drift_score`` is the greatest drift distance of a monitored feature. About 0.3 is a shift
of three quarters of a standard deviation. Fewer than 200 rows have no score.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from assay import divergence
from assay.bins import NumericBins
from assay.divergence import Counts
from assay.profiles import DRIFT_LIMIT, MIN_ROWS, Columns, Feature, Profile

NOTICEABLE = 0.1  # a distance that is worth a look though far from the limit
WORST = 10  # features listed in a stored report
DRAWS = 200  # of the bootstrap
STEPS = 100  # a window forgets in hundredths of its length
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class FeatureDrift:
    """How far one feature has moved."""

    name: str
    distance: float
    lower: float | None  # 95 % bounds; None: not asked for
    upper: float | None
    psi: float
    ks: float | None  # None: the bins of a category have no order
    missing_share: float
    null: float | None
    monitored: bool


@dataclass(frozen=True)
class DriftReport:
    """How far the inputs of a window have moved; ``features`` is ordered, the worst first."""

    rows: int
    limit: float
    features: tuple[FeatureDrift, ...]

    @property
    def monitored(self) -> tuple[FeatureDrift, ...]:
        """The features whose score means something."""
        return tuple(feature for feature in self.features if feature.monitored)

    @property
    def worst(self) -> FeatureDrift | None:
        """The feature that gives the score; None with under 200 rows or nothing to monitor."""
        if self.rows < MIN_ROWS or not self.monitored:
            return None
        return self.monitored[0]

    @property
    def input_drift_score(self) -> float | None:
        """The greatest distance of a monitored feature, 0..1; None where there is no score."""
        return None if self.worst is None else self.worst.distance

    def to_json(self) -> dict[str, Any]:
        """The report with its ten worst features, as it is stored."""
        worst = self.worst
        distances = np.array([feature.distance for feature in self.monitored])
        return {
            "rows": self.rows,
            "limit": self.limit,
            "input_drift_score": self.input_drift_score,
            "feature": None if worst is None else worst.name,
            "lower": None if worst is None else worst.lower,
            "upper": None if worst is None else worst.upper,
            "rms": None if worst is None else float(np.sqrt(np.mean(distances**2))),
            "share_over_0_1": None if worst is None else float(np.mean(distances > NOTICEABLE)),
            "unmonitored": sorted(f.name for f in self.features if not f.monitored),
            "worst": [asdict(feature) for feature in self.features[:WORST]],
        }


def compare(
    profile: Profile, counts: Counts, *, limit: float = DRIFT_LIMIT, draws: int = 0, seed: int = 0
) -> DriftReport:
    """Hold a window's counts against the reference.

    Args:
        limit: The trigger's threshold; features whose null lies over it are not monitored.
        draws: Bootstrap draws for the bounds; 0 leaves them out, as a serving process does.

    Raises:
        ValueError: The window is empty, or was counted with another profile.
    """
    drifts = [
        _drift(feature, seen, limit, draws, seed + at)
        for at, (feature, seen) in enumerate(profile.split(counts))
    ]
    drifts.sort(key=lambda drift: (-drift.distance, drift.name))
    first = profile.features[0].bins.size
    return DriftReport(int(counts[:first].sum()), limit, tuple(drifts))


@dataclass
class DriftWindow:
    """The counts of the last ``length`` of data time, batch by batch.

    Time is that of the data and comes with each batch, so a replay drifts as the days did. The
    window forgets in hundredths of its length and holds at most that many vectors of counts.
    """

    profile: Profile
    length: timedelta = timedelta(hours=24)
    _steps: dict[int, Counts] = field(default_factory=dict, init=False)

    def add(self, at: datetime, columns: Columns) -> None:
        """Count a batch that was seen at ``at`` (aware); one older than the window is dropped.

        Raises:
            ValueError: The batch lacks a feature or its columns differ in length.
        """
        step = (at - EPOCH) // (self.length / STEPS)
        counted = self.profile.count(columns)
        self._steps[step] = self._steps.get(step, self.profile.empty()) + counted
        oldest = max(self._steps) - STEPS
        self._steps = {kept: counts for kept, counts in self._steps.items() if kept > oldest}

    @property
    def counts(self) -> Counts:
        """Everything in the window."""
        return sum(self._steps.values(), start=self.profile.empty())

    def report(self, *, limit: float = DRIFT_LIMIT) -> DriftReport:
        """Judge the window as it stands.

        Raises:
            ValueError: Nothing was added yet.
        """
        return compare(self.profile, self.counts, limit=limit)


def _drift(feature: Feature, seen: Counts, limit: float, draws: int, seed: int) -> FeatureDrift:
    reference = feature.counts
    lower, upper = (
        divergence.drift_bounds(reference, seen, draws=draws, seed=seed) if draws else (None, None)
    )
    return FeatureDrift(
        name=feature.name,
        distance=float(divergence.drift_distance(reference, seen)),
        lower=lower,
        upper=upper,
        psi=divergence.psi(reference, seen),
        ks=_ks(feature, seen),
        missing_share=float(divergence.shares(seen)[-1]),
        null=feature.null,
        monitored=feature.monitored(limit),
    )


def _ks(feature: Feature, seen: Counts) -> float | None:
    """KS of the present values; both samples need some."""
    present, observed = feature.counts[:-1], seen[:-1]
    if not isinstance(feature.bins, NumericBins) or not present.sum() or not observed.sum():
        return None
    return divergence.ks(present, observed)
