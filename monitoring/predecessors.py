"""Which version held production before, and which one production may be handed back to."""

from __future__ import annotations

from registry import lifecycle
from registry.models import DeploymentStage, ModelVersion, StageTransition, TransitionKind

Stage = DeploymentStage


def production_before(version: ModelVersion) -> ModelVersion | None:
    """The version users had, or would have, without ``version``: what to compare it with."""
    if version.stage != Stage.PRODUCTION:
        held = ModelVersion.objects.filter(family=version.family_id, stage=Stage.PRODUCTION)
        return held.exclude(pk=version.pk).first()
    return hand_back_target(version)


def hand_back_target(version: ModelVersion) -> ModelVersion | None:
    """The last version that held production, was not rolled back itself, and may return.

    Its attestation stands and speaks of the artifact it has now. Expiry and changes of
    policy do not matter here: they never block a restore.
    """
    left = StageTransition.objects.filter(
        version__family=version.family_id,
        version__stage=Stage.ARCHIVED,
        from_stage=Stage.PRODUCTION,
        kind=TransitionKind.ARCHIVED,
    ).exclude(version=version.pk)
    for transition in left.select_related("version__artifact").order_by("-pk"):
        former = transition.version
        if lifecycle.standing_attestation(former, Stage.PRODUCTION) is not None:
            return former
    return None
