"""Why a version was rolled back: from the record, never from what is true now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring import rollbacks
from monitoring.models import Incident, IncidentKind, RecordedVerdict
from monitoring.pages.figures import Figure, figure
from registry import actors
from registry.models import DeploymentStage, ModelVersion, StageTransition, TransitionKind


@dataclass(frozen=True, slots=True)
class Why:
    """One rollback, explained."""

    transition: StageTransition
    by: str  # a name people know
    reasons: tuple[str, ...]
    share: float | None  # percent of traffic it had as a canary
    incident: Incident | None
    verdict: RecordedVerdict | None
    restored: ModelVersion | None
    evidence: tuple[Figure, ...]

    @property
    def stands(self) -> bool:
        """Whether the version is still out because of it."""
        return self.transition.version.stage == DeploymentStage.ROLLBACK

    @property
    def reaction_seconds(self) -> float | None:
        """Seconds from the newest snapshot of the deciding window to the committed rollback."""
        if self.verdict is None or self.verdict.newest_snapshot_at is None:
            return None
        return (self.transition.at - self.verdict.newest_snapshot_at).total_seconds()


def last_rollback(version: ModelVersion, transitions: Sequence[StageTransition]) -> Why | None:
    """The version's last rollback; None where it never was rolled back.

    Args:
        transitions: All of the version's, newest first.
    """
    made = next((t for t in transitions if t.kind == TransitionKind.ROLLED_BACK), None)
    if made is None:
        return None
    incident = (
        Incident.objects.filter(kind=IncidentKind.ROLLBACK, transition=made)
        .select_related("transition", "remark", "verdict", "restored")
        .first()
    )
    made.version = version
    return explain(made, incident, share=share_before(made))


def explain(made: StageTransition, incident: Incident | None, *, share: float | None = None) -> Why:
    """What is on record about one rollback."""
    outcome = rollbacks.outcome_of(incident) if incident else None
    verdict = incident.verdict if incident else None
    reasons = outcome.reasons if outcome else (made.remark.text if made.remark else "not given",)
    return Why(
        transition=made,
        by=actors.name(made.actor),
        reasons=reasons,
        share=share,
        incident=incident,
        verdict=verdict,
        restored=incident.restored if incident else None,
        evidence=tuple(figure(trigger) for trigger in verdict.triggers) if verdict else (),
    )


def share_before(made: StageTransition) -> float | None:
    """The percentage of traffic the version had as a canary until ``made``."""
    earlier = made.version.transitions.filter(pk__lt=made.pk).first()
    points = earlier.canary_basis_points if earlier else None
    return None if points is None else points / 100
