"""Whether a version's share of the requests is the one it should have. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.evidence import SURE
from monitoring.weighing import divergence

MUCH = 0.05  # of all requests: a smaller difference is nobody's disobedience


@dataclass(frozen=True, slots=True)
class Observed:
    """One version's requests among those of its family, and the share that it should have."""

    requests: int
    total: int
    desired: float  # 0..1, neither of them

    @property
    def share(self) -> float:
        """Of the family's requests; 0 where there were none."""
        return self.requests / self.total if self.total else 0.0

    @property
    def nats(self) -> float:
        """The evidence that the true share is another, by the Hoeffding-KL bound on Bin(n, p)."""
        return self.total * divergence(self.share, self.desired)

    @property
    def is_off(self) -> bool:
        """Beyond doubt, and by more than MUCH."""
        return not self.is_near and self.nats >= SURE

    @property
    def is_near(self) -> bool:
        """Not more than MUCH off, as far as there are requests to see it."""
        return bool(self.total) and abs(self.share - self.desired) <= MUCH + 1e-9
