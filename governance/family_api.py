"""HTTP for the rules of one registered model: its rollback policy."""

from __future__ import annotations

from typing import Any, TypedDict

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import looseness, policies
from monitoring.manifests import FIELDS, RollbackPolicySerializer
from monitoring.models import ModeOnBreach, RollbackPolicy, RuleInForce, WithoutPredecessor
from registry import actors, families, permissions, tokens
from registry.api import preconditions
from registry.api.describing import IF_NONE_MATCH, describes
from registry.errors import InvalidInput, NotAllowed


class PolicySerializer(RollbackPolicySerializer):
    """What may be changed about a rollback policy."""

    closer = {"": {"minProperties": 1}}

    def get_fields(self) -> dict[str, Any]:
        return {name: field for name, field in super().get_fields().items() if name != "name"}


class Policy(TypedDict):
    """The rollback policy of one registered model, and where it is looser than the defaults."""

    family: str
    rule: RuleInForce
    max_error_rate: float
    max_latency_factor: float
    max_ood_rate: float
    max_input_drift: float
    window_minutes: int
    min_requests: int
    min_requests_drift: int
    bake_minutes: int | None
    initial_delay_seconds: int
    cooldown_seconds: int
    mode: ModeOnBreach
    dry_run: bool
    hold_on_shared_cause: bool
    without_predecessor: WithoutPredecessor
    loosened: list[str]
    revision: int


class RollbackPolicyView(APIView):
    """GET answers the policy in force; PATCH makes it tighter, or no looser than the defaults."""

    scopes = {"GET": tokens.READ, "PATCH": tokens.ROLL_BACK}

    @describes(
        "Read a registered model's rollback policy",
        headers=[IF_NONE_MATCH],
        answers={200: Policy, 304: None},
        etag=True,
    )
    def get(self, request: Request, name: str) -> Response:
        policy = policies.policy_of(families.find(name))
        return preconditions.answer(request, policy_json(policy), _tag(policy))

    @describes(
        "Tighten a registered model's rollback policy",
        body=PolicySerializer,
        answers={200: Policy},
        if_match=True,
        etag=True,
    )
    @transaction.atomic
    def patch(self, request: Request, name: str) -> Response:
        asked = PolicySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if not asked.validated_data:
            raise InvalidInput.of("", "Send at least one field to change.")
        family = families.lock(families.find(name))
        permissions.check_reach(request, family, tokens.ROLL_BACK)
        former = policies.policy_of(family)
        preconditions.check(request, _tag(former), f"The policy of {name}")
        policy = policies.change(family, asked.validated_data, actor=actors.actor_of(request.user))
        _check_tight(policy, former)
        return Response(policy_json(policy), headers={"ETag": _tag(policy)})


def policy_json(policy: RollbackPolicy) -> dict[str, Any]:
    """A rollback policy as the API shows it, with where it is looser than the defaults."""
    shown = {name: getattr(policy, name) for name in FIELDS}
    extra = {"loosened": looseness.loosened(policy), "revision": policy.revision}
    return {"family": policy.family.name} | shown | extra


def _check_tight(policy: RollbackPolicy, former: RollbackPolicy) -> None:
    """Whoever holds a token may tighten; what lets more through needs a person in the console."""
    loose = looseness.loosens(policy, former)
    if loose:
        raise NotAllowed(
            f"This is looser than the defaults ({'; '.join(loose)}): have a reviewer who is none of "
            "the model's own people change it in the console."
        )


def _tag(policy: RollbackPolicy) -> str:
    return preconditions.of_revision(policy.revision)
