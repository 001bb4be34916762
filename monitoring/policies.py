"""Which limits and manners hold for a model: its policy's, else the seed's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction

from monitoring.decisions import Manners
from monitoring.models import ModeOnBreach, RollbackPolicy, WithoutPredecessor
from monitoring.triggers import Rule, Thresholds
from registry.ledger import events
from registry.models import ModelFamily


def policy_of(family: ModelFamily) -> RollbackPolicy:
    """The family's policy; an unsaved one with the defaults where it has none."""
    found = RollbackPolicy.objects.filter(family=family).first()
    return found or RollbackPolicy(family=family)


def loaded(family: ModelFamily) -> RollbackPolicy:
    """The same, where select_related has brought it along."""
    return getattr(family, "rollback_policy", None) or RollbackPolicy(family=family)


def thresholds(policy: RollbackPolicy) -> Thresholds:
    """The policy's limits as the triggers take them."""
    return Thresholds(
        max_error_rate=policy.max_error_rate,
        max_latency_factor=policy.max_latency_factor,
        max_ood_rate=policy.max_ood_rate,
        max_input_drift=policy.max_input_drift,
        window_minutes=policy.window_minutes,
        min_requests=policy.min_requests,
        min_requests_drift=policy.min_requests_drift,
    )


def rule(policy: RollbackPolicy) -> Rule:
    """The rule whose verdicts are acted on."""
    return Rule(policy.rule)


def manners(policy: RollbackPolicy) -> Manners:
    """The policy's ways of answering a breach."""
    return Manners(
        automatic=policy.mode == ModeOnBreach.ROLLBACK and not policy.dry_run,
        initial_delay=timedelta(seconds=policy.initial_delay_seconds),
        cooldown=timedelta(seconds=policy.cooldown_seconds),
        hold_on_shared_cause=policy.hold_on_shared_cause,
        hold_without_predecessor=policy.without_predecessor == WithoutPredecessor.HOLD,
    )


@transaction.atomic
def change(family: ModelFamily, changes: Mapping[str, Any], *, actor: str) -> RollbackPolicy:
    """Change fields of the family's policy; its revision grows with every change."""
    family = ModelFamily.objects.select_for_update().get(pk=family.pk)
    policy, _ = RollbackPolicy.objects.get_or_create(family=family)
    before = {name: getattr(policy, name) for name in changes}
    for name, value in changes.items():
        setattr(policy, name, value)
    policy.revision += 1
    policy.full_clean()
    policy.save()
    events.record(
        "policy.changed",
        actor=actor,
        payload={
            "family": family.name,
            "revision": policy.revision,
            "changes": {name: [before[name], value] for name, value in changes.items()},
        },
    )
    return policy
