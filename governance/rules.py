"""The rules that hold for one registered model: its risk tier and its rollback policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance import reviewers
from monitoring import policies
from monitoring.models import ModeOnBreach, RollbackPolicy, WithoutPredecessor
from registry import tokens
from registry.actors import actor_of
from registry.errors import NotAllowed
from registry.ledger import events
from registry.models import ModelFamily, RiskTier

# Fields that let more harm through the larger they are.
LIMITS = (
    "max_error_rate",
    "max_latency_factor",
    "max_ood_rate",
    "max_input_drift",
    "window_minutes",
    "min_requests",
    "min_requests_drift",
    "initial_delay_seconds",
    "cooldown_seconds",
)


@transaction.atomic
def set_tier(family: ModelFamily, tier: RiskTier, *, reviewer: User, note: str = "") -> ModelFamily:
    """Put a registered model into another risk tier; what was approved before no longer counts.

    The same tier changes nothing.

    Raises:
        NotAllowed: One of the model's own people, or no reviewer.
    """
    reviewers.check_may_rule(family, reviewer)
    family = ModelFamily.objects.select_for_update().get(pk=family.pk)
    former = family.risk_tier
    if former == tier:
        return family
    family.risk_tier = tier
    family.revision += 1
    family.save(update_fields=["risk_tier", "revision"])
    events.record(
        "model.tier.changed",
        actor=actor_of(reviewer),
        remark=events.remark(note),
        payload={"family": family.name, "from_tier": former, "to_tier": tier},
    )
    return family


@transaction.atomic
def set_policy(family: ModelFamily, changes: Mapping[str, Any], *, user: User) -> RollbackPolicy:
    """Change the rollback policy of a registered model.

    Operators may; whatever lets more through than the defaults is for a reviewer who is none
    of the model's own people.

    Raises:
        NotAllowed: Neither an operator, or it loosens and is for a reviewer.
    """
    policy = policies.change(family, changes, actor=actor_of(user))
    if loosened(policy):
        reviewers.check_may_rule(family, user)
    elif not tokens.scopes_of(user) & {tokens.ROLL_BACK, tokens.REVIEW_SIGN}:
        raise NotAllowed(f"{user} may not change rollback policies; operators and reviewers may.")
    return policy


def loosened(policy: RollbackPolicy) -> list[str]:
    """Where the policy lets more through than the defaults, as words for a lasting banner."""
    return list(_loosened(policy, RollbackPolicy(family=policy.family)))


def _loosened(policy: RollbackPolicy, default: RollbackPolicy) -> Iterator[str]:
    for name in LIMITS:
        chosen, usual = getattr(policy, name), getattr(default, name)
        if chosen > usual:
            yield f"{name.replace('_', ' ')} {chosen:g} instead of {usual:g}"
    if policy.bake_minutes is not None and policy.bake_minutes < default.window_minutes:
        yield f"bake minutes {policy.bake_minutes} instead of {default.window_minutes}"
    if policy.dry_run:
        yield "dry run: breaches are only told"
    if policy.mode == ModeOnBreach.NOTIFY:
        yield "breaches open an incident only"
    if policy.without_predecessor == WithoutPredecessor.HOLD:
        yield "production is held where there is nothing to hand back to"
