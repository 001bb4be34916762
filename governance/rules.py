"""The rules that hold for one registered model: its risk tier and its rollback policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance import reviewers
from monitoring import looseness, policies
from monitoring.models import RollbackPolicy
from registry import tokens
from registry.actors import actor_of
from registry.errors import NotAllowed
from registry.ledger import events
from registry.models import ModelFamily, RiskTier


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

    Operators may; whatever lets more through than the defaults, and than before, is for a reviewer
    who is none of the model's own people.

    Raises:
        NotAllowed: Neither an operator, or it loosens and is for a reviewer.
    """
    family = ModelFamily.objects.select_for_update().get(pk=family.pk)
    former = policies.policy_of(family)
    policy = policies.change(family, changes, actor=actor_of(user))
    if looseness.loosens(policy, former):
        reviewers.check_may_rule(family, user)
    elif not tokens.scopes_of(user) & {tokens.ROLL_BACK, tokens.REVIEW_SIGN}:
        raise NotAllowed(f"{user} may not change rollback policies; operators and reviewers may.")
    return policy
