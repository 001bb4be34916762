"""Which version held production before, and which one production may be handed back to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from registry.models import (
    Attestation,
    DeploymentStage,
    ModelVersion,
    StageTransition,
    TransitionKind,
)

Stage = DeploymentStage


def productions_before(versions: Sequence[ModelVersion]) -> dict[int, int]:
    """The pks of the versions users had, or would have, without these: what to compare with.

    By version pk, in two queries at most; a version without one is left out.
    """
    holding = [v for v in versions if v.stage == Stage.PRODUCTION]
    others = [v for v in versions if v.stage != Stage.PRODUCTION]
    held = _in_production({v.family_id for v in others})
    former = _last_before({v.family_id for v in holding})
    found = [(v.pk, held.get(v.family_id)) for v in others]
    found += [(v.pk, former.get(v.family_id)) for v in holding]
    return {pk: before for pk, before in found if before is not None}


def hand_back_target(version: ModelVersion) -> ModelVersion | None:
    """The last version that held production, was not rolled back itself, and may return.

    Its attestation stands and speaks of the artifact it has now. Expiry and changes of
    policy do not matter here: they never block a restore.
    """
    left = _handed_on([version.family_id]).exclude(version=version.pk).order_by("-pk")
    latest = left.select_related("version__artifact").first()
    return None if latest is None else latest.version


def _in_production(families: Iterable[int]) -> dict[int, int]:
    if not families:
        return {}
    held = ModelVersion.objects.filter(family__in=families, stage=Stage.PRODUCTION)
    return dict(held.values_list("family_id", "pk"))


def _last_before(families: Iterable[int]) -> dict[int, int]:
    if not families:
        return {}
    left = _handed_on(families).order_by("version__family", "-pk").distinct("version__family")
    return dict(left.values_list("version__family", "version"))


def _handed_on(families: Iterable[int]) -> QuerySet[StageTransition]:
    """How versions left production that may return to it."""
    standing = Attestation.objects.filter(
        version=OuterRef("version"),
        stage=Stage.PRODUCTION,
        revoked_at=None,
        artifact_sha256=Coalesce(
            OuterRef("version__artifact_id"), OuterRef("version__declared_sha256")
        ),
    )
    return StageTransition.objects.filter(
        Exists(standing),
        version__family__in=families,
        version__stage=Stage.ARCHIVED,
        from_stage=Stage.PRODUCTION,
        kind=TransitionKind.ARCHIVED,
    )
