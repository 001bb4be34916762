"""What came of a canary that was pulled back, in figures, held to what the story says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demo.console import seconds
from demo.evidence import DRIFT, Decision
from demo.lines import Status

COUNTED = 5_000  # requests, for a share worth telling
LEAST_SHARE, MOST_SHARE = 0.09, 0.11  # observed, of a canary at 10 %
STOPPED_WITHIN = 5.0  # seconds; a router asks each second
CALM = 0.2  # the drift of a schedule stays under it


@dataclass(frozen=True)
class Outcome:
    """One version that was taken out, and the one that stayed."""

    decision: Decision
    stayed: str  # model_id
    scores: Mapping[str, float | None]  # drift at the decision, by model_id
    status: Status  # of the serving process, some time afterwards

    @property
    def out(self) -> str:
        """The model_id of the version that was taken out."""
        return self.decision.model_id

    @property
    def highest(self) -> float:
        """The highest drift that the version that stayed has reported so far."""
        return self.status.highest_drift.get(self.stayed, 0.0)

    @property
    def share(self) -> float:
        """The share of requests the canary answered while it had a share."""
        answered, beside = self.status.split(self.out)
        return answered / beside if beside else 0.0

    @property
    def seconds_to_last(self) -> float | None:
        """From the deciding snapshot to the last answer of the version that was taken out."""
        return self.decision.seconds_to_last_answer(self.status.last_answered.get(self.out))

    def figures(self) -> list[tuple[str, str]]:
        """Each figure with its name."""
        beside = self.status.split(self.out)[1]
        last = "unknown" if self.seconds_to_last is None else seconds(self.seconds_to_last)
        return [
            (f"drift of {self.out} at the decision", score(self.scores[self.out])),
            (f"drift of {self.stayed} at the decision", score(self.scores[self.stayed])),
            (f"highest drift of {self.stayed} so far", score(self.highest)),
            ("deciding snapshot to committed rollback", seconds(self.decision.seconds_to_commit)),
            (f"deciding snapshot to the last answer of {self.out}", last),
            (f"share of {self.out} while in canary", f"{self.share:.2%} of {beside:,} requests"),
            ("requests since then, none of them its", f"{self.status.after(self.out):,}"),
        ]

    def objections(self) -> list[str]:
        """What is not as the story says; empty if all is."""
        return [sentence for sentence, wrong in self._claims().items() if wrong]

    def _claims(self) -> dict[str, bool]:
        """Each possible objection, and whether it is one."""
        answered, beside = self.status.split(self.out)
        reasons = "; ".join(self.decision.reasons)
        return {
            f"{self.out} was to be taken out for its drift, and was for: {reasons}.": (
                DRIFT not in self.decision.breached
            ),
            f"{self.out} was to answer 9 to 11 % of {COUNTED:,} requests or more; it answered "
            f"{answered:,} of {beside:,}.": (
                beside < COUNTED or not LEAST_SHARE <= self.share <= MOST_SHARE
            ),
            f"{self.out} was to answer nothing {STOPPED_WITHIN:g} s after the decision; its last "
            f"answer came after {self.seconds_to_last} s.": (
                self.seconds_to_last is None or self.seconds_to_last > STOPPED_WITHIN
            ),
            f"The drift of {self.stayed} was to stay under {CALM}; it reached "
            f"{self.highest:.3f}.": self.highest >= CALM,
        }


def score(value: float | None) -> str:
    """A drift score as it is printed."""
    return "not yet known" if value is None else f"{value:.3f}"
