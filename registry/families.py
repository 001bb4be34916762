"""Registered models themselves: found one ahead of its versions, and say what it is for."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from registry.errors import Conflict, NotFound
from registry.ledger import events
from registry.models import ModelFamily, ModelVersion, Part, RiskTier, Stakeholder


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


def find(name: str) -> ModelFamily:
    """The registered model of this name.

    Raises:
        NotFound: There is none.
    """
    family = ModelFamily.objects.prefetch_related("aliases__version").filter(name=name).first()
    if family is None:
        raise NotFound(
            f"There is no registered model {name!r}; GET families lists those there are."
        )
    return family


def lock(family: ModelFamily) -> ModelFamily:
    """The family's row, read anew and held until the transaction ends."""
    return ModelFamily.objects.select_for_update().get(pk=family.pk)


@transaction.atomic
def describe(family: ModelFamily, description: str, *, actor: str) -> ModelFamily:
    """Say anew what a registered model is for."""
    return amend(family, {"description": description}, actor=actor)


@transaction.atomic
def amend(family: ModelFamily, changes: Mapping[str, str], *, actor: str) -> ModelFamily:
    """Change what is declared about a registered model; the same values change nothing.

    A new owner is one of the own people of every version from now on, and may approve none.

    Args:
        changes: ``description``, ``owner`` and ``team``, any of them.
    """
    family = lock(family)
    changed = {name: new for name, new in changes.items() if getattr(family, name) != new}
    if not changed:
        return family
    handed = [family.team, changed["team"]] if "team" in changed else None
    for name, value in changed.items():
        setattr(family, name, value)
    family.revision += 1
    family.save(update_fields=[*changed, "revision"])
    if "owner" in changed:
        _count_in(family)
    payload = {"family": family.name, "fields": sorted(changed), "team": handed}
    events.record("model.described", actor=actor, payload=payload)
    return family


def _count_in(family: ModelFamily) -> None:
    """The owner becomes one of the own people of the versions there are; later ones follow."""
    Stakeholder.objects.bulk_create(
        [
            Stakeholder(version=version, part=Part.OWNER, name=family.owner)
            for version in ModelVersion.objects.filter(family=family)
        ],
        ignore_conflicts=True,
    )
