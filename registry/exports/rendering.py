"""A family's traffic of now, in a format that was asked for."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import OuterRef, Subquery

from registry import families, routing
from registry.errors import NotFound
from registry.exports import kubernetes, nginx
from registry.exports.desired import Desired, Share
from registry.models import DeploymentStage as Stage
from registry.models import ModelVersion, StageTransition, TrafficPlan, TransitionKind

KINDS: dict[str, Callable[[Desired], str]] = {
    "httproute": kubernetes.httproute,
    "virtualservice": kubernetes.virtualservice,
    "kserve": kubernetes.kserve,
    "nginx": nginx.split_clients,
    "seldon": kubernetes.seldon,
}


def render(name: str, kind: str) -> str:
    """The traffic of the family ``name`` as ``kind``.

    Raises:
        NotFound: There is no such family or format.
        Inexpressible: The format has no words for it.
    """
    if kind not in KINDS:
        raise NotFound(f"There is no format {kind!r}; there are {', '.join(KINDS)}.")
    return KINDS[kind](desired(name))


def desired(name: str) -> Desired:
    """The family's traffic and whose turn it was, all of one moment: one statement.

    Raises:
        NotFound: There is no such family.
    """
    production = ModelVersion.objects.filter(family=OuterRef("family"), stage=Stage.PRODUCTION)
    entered = StageTransition.objects.filter(
        version__family=OuterRef("family"),
        to_stage__in=(Stage.CANARY, Stage.PRODUCTION),
        kind=TransitionKind.PROMOTED,
    ).order_by("-pk")
    plan = (
        TrafficPlan.objects.filter(family__name=name)
        .annotate(
            production=Subquery(production.values("model_id")[:1]),
            newest=Subquery(entered.values("version__model_id")[:1]),
        )
        .first()
    )
    if plan is None:
        fresh = routing.plan_of(families.find(name))
        return Desired(name, fresh.revision, fresh.salt, ())
    shares = [Share(target["model_id"], target["basis_points"]) for target in plan.targets]
    shares.sort(key=lambda share: share.model_id == plan.production)
    return Desired(name, plan.revision, plan.salt, tuple(shares), plan.production, plan.newest)
