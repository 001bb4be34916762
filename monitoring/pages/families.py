"""The family around a version: its other versions and how live traffic is shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, IntegerField, QuerySet, Value, When

from monitoring import obedience
from monitoring.bars import Share, traffic_bar
from monitoring.reported import reported
from registry.models import DeploymentStage, ModelFamily, ModelVersion, TrafficPlan
from registry.routing import BUCKETS

SHOWN = 12  # versions beside the one on the page


@dataclass(frozen=True, slots=True)
class Sibling:
    """A version of the family, and its share of live traffic in percent: desired, and as it is."""

    version: ModelVersion
    share: float | None
    observed: float | None  # of the family's requests; None where it is not known
    stray: int  # requests it should not have got


@dataclass(frozen=True, slots=True)
class Traffic:
    """How the family's requests are shared, as the traffic document has it now."""

    bar: str  # SVG
    revision: int
    unassigned: float  # percent that the caller's fallback answers
    siblings: list[Sibling]
    more: bool  # there are older versions than those shown


def traffic(family: ModelFamily, *, now: datetime) -> Traffic:
    """The family's traffic document and its versions: those serving first, then the newest."""
    plan = TrafficPlan.objects.filter(family=family).first()
    targets = plan.targets if plan else []
    held = {target["model_id"]: target["basis_points"] for target in targets}
    versions = list(_serving_first(family)[: SHOWN + 1])
    stages = {version.model_id: version.stage for version in versions}
    return Traffic(
        bar=traffic_bar(_shares(targets, stages)),
        revision=plan.revision if plan else 0,
        unassigned=(BUCKETS - sum(held.values())) / 100,
        siblings=_siblings(versions[:SHOWN], held, now),
        more=len(versions) > SHOWN,
    )


def _serving_first(family: ModelFamily) -> QuerySet[ModelVersion]:
    order = Case(
        When(stage=DeploymentStage.PRODUCTION, then=Value(0)),
        When(stage=DeploymentStage.CANARY, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    versions = ModelVersion.objects.filter(family=family).order_by(order, "-number")
    return versions.select_related("family__rollback_policy", "family__traffic")


def _siblings(
    versions: Sequence[ModelVersion], held: dict[str, int], now: datetime
) -> list[Sibling]:
    serving = [version for version in versions if version.is_serving]
    left = [version for version in versions if version.stage in obedience.LEFT]
    counts = reported(obedience.times([*serving, *left], now=now), now=now)
    seen = obedience.observed(serving, counts)
    stray = {version.pk: counts[version.pk].requests for version in left}
    return [
        Sibling(
            version,
            _percent(held.get(version.model_id)),
            round(100 * seen[version.pk].share, 1) if version.pk in seen else None,
            stray.get(version.pk, 0),
        )
        for version in versions
    ]


def _shares(targets: Sequence[dict], stages: dict[str, str]) -> list[Share]:
    return [
        Share(low, high, target["model_id"], stages.get(target["model_id"], "canary"))
        for target in targets
        for low, high in target["ranges"]
    ]


def _percent(basis_points: int | None) -> float | None:
    return None if basis_points is None else basis_points / 100
