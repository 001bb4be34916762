"""What the storyteller and a serving process tell each other: one line of JSON each time. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Self

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)  # as far as the data goes


@dataclass(frozen=True)
class Order:
    """How far to serve in data time, and how fast; the process then waits for the next order."""

    until: datetime
    per_second: float  # requests

    def line(self) -> str:
        """The order as the serving process reads it."""
        return json.dumps({"until": self.until.isoformat(), "per_second": self.per_second})

    @classmethod
    def read(cls, line: str) -> Self:
        """Read a line."""
        told = json.loads(line)
        return cls(datetime.fromisoformat(told["until"]), float(told["per_second"]))


@dataclass(frozen=True)
class Status:
    """Where a serving process stands. Versions go by their model_id, moments are POSIX seconds."""

    data_time: str  # of the last request
    waiting: bool  # the order is fulfilled
    served: int = 0  # requests that had a version, in all
    unrouted: int = 0  # requests no version was there for
    shares: Mapping[int, Mapping[str, int]] = field(default_factory=dict)  # by traffic revision
    drift: Mapping[str, float | None] = field(default_factory=dict)  # last reported score
    highest_drift: Mapping[str, float] = field(default_factory=dict)  # of all reported scores
    last_answered: Mapping[str, float | None] = field(default_factory=dict)

    def line(self) -> str:
        """The status as the storyteller reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, line: str) -> Self:
        """Read a line."""
        told = json.loads(line)
        shares = {int(revision): counts for revision, counts in told.pop("shares").items()}
        return cls(shares=shares, **told)

    def answered(self, model_id: str) -> int:
        """Requests a version answered, in all."""
        return sum(counts.get(model_id, 0) for counts in self.shares.values())

    def split(self, model_id: str) -> tuple[int, int]:
        """Requests a version answered, and all requests, while it had traffic beside others."""
        beside = [c for c in self.shares.values() if model_id in c and len(c) > 1]
        return sum(c[model_id] for c in beside), sum(sum(c.values()) for c in beside)

    def after(self, model_id: str) -> int:
        """Requests others answered since the version's last one."""
        having = [revision for revision, counts in self.shares.items() if model_id in counts]
        last = max(having, default=0)
        return sum(sum(c.values()) for revision, c in self.shares.items() if revision > last)


def counted(shares: Mapping[int, Counter[str]]) -> dict[int, dict[str, int]]:
    """A copy that stays as it is while the counting goes on."""
    return {revision: dict(counts) for revision, counts in shares.items()}
