"""What may reach users: moves between stages, reviews, cards, and the traffic they lead to."""

from __future__ import annotations

from assay import wire
from assay.answers import Card, Deployment, ReviewRequest
from assay.entries import DeploymentStage
from assay.routing import Traffic
from assay.session import Session


class Decisions:
    """The part of the registry that decides what may be promoted."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def update_deployment_status(
        self,
        model_id: str,
        stage: DeploymentStage | str,
        canary_percentage: float | None = None,
        reason: str | None = None,
    ) -> Deployment:
        """Move a model version to ``stage``.

        Args:
            canary_percentage: Share of live traffic, 0 < percentage < 100, default 10; canary only.

        Raises:
            PromotionBlocked: The gate is closed; ``blockers`` lists all that is missing.
            Conflict: The two stages are not adjacent.
        """
        asked = {"status": stage, "canary_percentage": canary_percentage, "reason": reason}
        given = {name: value for name, value in asked.items() if value is not None}
        answer = self.session.write("PATCH", "models", model_id, "deployment", document=given)
        return wire.read(Deployment, answer)

    def generate_card(self, model_id: str) -> Card:
        """Write the next revision of the model card."""
        answer = self.session.write("POST", "models", model_id, "generate-card")
        return wire.read(Card, answer)

    def request_review(self, model_id: str, note: str | None = None) -> ReviewRequest:
        """Ask the reviewers to look at a model version."""
        asked = {} if note is None else {"note": note}
        answer = self.session.write("POST", "models", model_id, "review-request", document=asked)
        return wire.read(ReviewRequest, answer)

    def traffic(self, family: str) -> Traffic:
        """Which share of a family's requests each version is to answer; see `assay.Router`."""
        return Traffic.read(self.session.get("families", family, "traffic"))
