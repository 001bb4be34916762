"""Whether a canary errs more than production does over the same time. Pure.

If both erred alike, each of the k errors they made together would be the canary's as often as a
request is: k_c ~ Bin(k, n_c / (n_c + n_p)), whatever the rate (the conditional test of Przyborowski
and Wilenski 1940). k·KL(k_c/k ‖ n_c/(n_c + n_p)) is the exponent of Hoeffding's bound on so many, and
is divided by how much burstier the rows are than independent requests, as in monitoring/weighing.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.evidence import SURE
from monitoring.weighing import Sums, burstiness, divergence


@dataclass(frozen=True, slots=True)
class Comparison:
    """The errors of a canary and of production over the same time."""

    canary: Sums
    production: Sums

    @property
    def nats(self) -> float:
        """The evidence that the canary errs more often; 0 where it does not, or nothing tells."""
        errors = self.canary.events + self.production.events
        requests = self.canary.requests + self.production.requests
        if not errors or not self.tells:
            return 0.0
        fair, share = self.canary.requests / requests, min(1.0, self.canary.events / errors)
        if share <= fair:
            return 0.0
        return max(0.0, errors * divergence(share, fair)) / self._burstiness

    @property
    def tells(self) -> bool:
        """Whether both have reported."""
        return bool(self.canary.requests and self.production.requests)

    @property
    def is_worse(self) -> bool:
        """Beyond doubt."""
        return self.nats >= SURE

    @property
    def reason(self) -> str:
        """What was seen, as a sentence."""
        return (
            f"error rate {100 * self.canary.rate:.3g} % over {self.canary.requests:,} requests, "
            f"production's {100 * self.production.rate:.3g} % over "
            f"{self.production.requests:,} ({self.nats:.1f} nats)"
        )

    @property
    def _burstiness(self) -> float:
        return max(burstiness(self.canary), burstiness(self.production))
