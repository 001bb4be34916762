"""What a scenario says, and the uploads that its series come to. Pure: the same in, the same out.

Times are seconds since EPOCH.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDING = 1e-9  # a product such as 0.29 · 100 must not fall short of its whole number


@dataclass(frozen=True, slots=True)
class Steady:
    """A share of all requests so far, so that no request is lost to rounding."""

    share: float

    def of(self, index: int, n: int) -> float:
        """The reported rate of snapshot ``index``, whose item has ``n`` requests in each."""
        return _rate(self._until((index + 1) * n) - self._until(index * n), n)

    def _until(self, requests: int) -> int:
        return math.floor(self.share * requests + ROUNDING)


@dataclass(frozen=True, slots=True)
class Hashed:
    """Each request by itself, by a hash that stands for chance."""

    share: float
    seed: str

    def of(self, index: int, n: int) -> float:
        """The reported rate of snapshot ``index``, whose item has ``n`` requests in each."""
        return _rate(sum(self._chance(index, j) < self.share for j in range(n)), n)

    def _chance(self, index: int, j: int) -> float:
        digest = hashlib.sha256(f"{self.seed}:{index}:{j}".encode()).hexdigest()
        return int(digest[:8], 16) / 2**32


@dataclass(frozen=True, slots=True)
class Literally:
    """Whatever stands there, garbage too."""

    value: Any

    def of(self, index: int, n: int) -> Any:
        """The value, for every snapshot."""
        return self.value


Share = Steady | Hashed | Literally


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Snapshots of one version at even intervals."""

    version: str
    start: float
    stop: float
    every: float
    n: Any  # num_requests
    errors: Share
    ood: Share
    lat: Sequence[Any]  # p50, p95, p99 in milliseconds
    drift: Any
    delays: Sequence[float]  # of one snapshot after the other, from the start again
    t_shift: float
    repeat: int
    id: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """One call of the ingest endpoint."""

    series: int  # its place in the scenario
    version: str
    received: float
    snapshots: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Where a version is, and since when."""

    name: str
    stage: str
    entered_at: float = 0
    weight: Decimal | None = None  # percent of traffic; canary only
    previous: str | None = None  # its predecessor in production


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """An automatic rollback that is expected; what is None may be anything."""

    version: str
    between: tuple[float, float] | None = None  # both included
    restores: str | None = None
    says_restores: bool = False  # so that "restores: null" is a demand too
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An incident that is expected."""

    version: str
    kind: str
    by: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of it; None where nothing is said."""

    rollbacks: Sequence[Rollback] | None = None
    final: Mapping[str, str] = field(default_factory=dict)
    weight: Mapping[str, Decimal] = field(default_factory=dict)
    verdict_at: Mapping[float, Mapping[str, str]] = field(default_factory=dict)
    never: Sequence[tuple[str, str]] = ()  # an action, a version
    incidents: Sequence[Raised] = ()
    http: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story: what was reported, and what must have been decided."""

    id: str
    until: float
    eval_every: float
    rule: str
    versions: Mapping[str, Version]
    series: Sequence[Series]
    expected: Expected


def moment(seconds: float) -> datetime:
    """The time that many seconds after EPOCH."""
    return EPOCH + timedelta(seconds=seconds)


def seconds(at: datetime) -> float:
    """How many seconds after EPOCH that is."""
    return (at - EPOCH).total_seconds()


def steps(scenario: Scenario) -> list[float]:
    """The times at which uploads are delivered and the periodic tasks run."""
    count = math.floor(scenario.until / scenario.eval_every + ROUNDING)
    return [number * scenario.eval_every for number in range(1, count + 1)]


def uploads(scenario: Scenario) -> list[Upload]:
    """All uploads in the order of their arrival; repeats follow at once.

    What one item's snapshots have until the next step are one list; where the reporting clock is
    off each goes alone, since whether it is taken depends on the moment.
    """
    found = [
        upload
        for place, series in enumerate(scenario.series)
        for upload in _uploads(place, series, scenario.eval_every)
        for _ in range(series.repeat)
    ]
    return sorted(found, key=lambda upload: upload.received)


def _uploads(place: int, series: Series, eval_every: float) -> Iterator[Upload]:
    batches: dict[int, list[tuple[float, Mapping[str, Any]]]] = {}
    for index, at in enumerate(_times(series)):
        received = at + series.delays[index % len(series.delays)]
        batch = index if series.t_shift else math.ceil(received / eval_every - ROUNDING)
        snapshot = _snapshot(series, index, at + series.t_shift)
        batches.setdefault(batch, []).append((received, snapshot))
    for arrivals in batches.values():
        arrivals.sort(key=lambda arrival: arrival[0])
        yield Upload(place, series.version, arrivals[-1][0], [row for _, row in arrivals])


def _times(series: Series) -> Iterator[float]:
    count = max(0, math.ceil((series.stop - series.start) / series.every - ROUNDING))
    return (series.start + number * series.every for number in range(count))


def _snapshot(series: Series, index: int, at: float) -> dict[str, Any]:
    p50, p95, p99 = series.lat
    n = series.n if isinstance(series.n, int) and series.n > 0 else 0  # garbage may stand there
    return {
        "timestamp": moment(at).isoformat(),
        "num_requests": series.n,
        "error_rate": series.errors.of(index, n),
        "ood_rate": series.ood.of(index, n),
        "input_drift_score": series.drift,
        "latency_p50_ms": p50,
        "latency_p95_ms": p95,
        "latency_p99_ms": p99,
    }


def _rate(count: int, n: int) -> float:
    return count / n if n else 0.0
