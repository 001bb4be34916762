"""The family around a version: its other versions and how live traffic is shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, IntegerField, QuerySet, Value, When

from monitoring.bars import Share, traffic_bar
from registry.models import DeploymentStage, ModelFamily, ModelVersion, TrafficPlan
from registry.routing import BUCKETS

SHOWN = 12  # versions beside the one on the page


@dataclass(frozen=True, slots=True)
class Sibling:
    """A version of the family, and its share of live traffic in percent."""

    version: ModelVersion
    share: float | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """How the family's requests are shared, as the traffic document has it now."""

    bar: str  # SVG
    revision: int
    unassigned: float  # percent that the caller's fallback answers
    siblings: list[Sibling]
    more: bool  # there are older versions than those shown


def traffic(family: ModelFamily) -> Traffic:
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
        siblings=[Sibling(v, _percent(held.get(v.model_id))) for v in versions[:SHOWN]],
        more=len(versions) > SHOWN,
    )


def _serving_first(family: ModelFamily) -> QuerySet[ModelVersion]:
    order = Case(
        When(stage=DeploymentStage.PRODUCTION, then=Value(0)),
        When(stage=DeploymentStage.CANARY, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return ModelVersion.objects.filter(family=family).order_by(order, "-number")


def _shares(targets: Sequence[dict], stages: dict[str, str]) -> list[Share]:
    return [
        Share(low, high, target["model_id"], stages.get(target["model_id"], "canary"))
        for target in targets
        for low, high in target["ranges"]
    ]


def _percent(basis_points: int | None) -> float | None:
    return None if basis_points is None else basis_points / 100
