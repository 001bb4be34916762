"""Registered models themselves: found one ahead of its versions, and say what it is for."""

from __future__ import annotations

from django.db import transaction

from registry.errors import Conflict
from registry.ledger import events
from registry.models import ModelFamily, RiskTier


@transaction.atomic
def found(
    name: str,
    *,
    owner: str,
    team: str,
    actor: str,
    description: str = "",
    risk_tier: RiskTier = RiskTier.MEDIUM,
) -> ModelFamily:
    """Make a registered model that has no versions yet.

    Raises:
        Conflict: There is one of this name.
    """
    family, made = ModelFamily.objects.get_or_create(
        name=name,
        defaults={
            "owner": owner,
            "team": team,
            "description": description,
            "risk_tier": risk_tier,
        },
    )
    if not made:
        raise Conflict(f"There is a registered model {name!r} already.")
    events.record("model.founded", actor=actor, payload={"family": name})
    return family


@transaction.atomic
def describe(family: ModelFamily, description: str, *, actor: str) -> ModelFamily:
    """Say anew what a registered model is for."""
    family = ModelFamily.objects.select_for_update().get(pk=family.pk)
    family.description = description
    family.save(update_fields=["description"])
    events.record("model.described", actor=actor, payload={"family": family.name})
    return family
