"""A change that the Co-Pilot was asked for: rehearse it, seal it, carry it out once confirmed.

It is made by the same verbs as by every other face. A rehearsal makes the change and takes it back,
so what a plan says is what would happen, every refusal included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from governance import promotions
from governance.copilot import seals
from governance.copilot.askers import Asker
from governance.copilot.replies import Call
from monitoring import rollbacks
from monitoring.models import Incident
from registry import actors, entries, lifecycle, tokens
from registry.errors import PreconditionFailed
from registry.models import DeploymentStage, Event, ModelVersion, StageTransition

API = "/api/model-registry"


@dataclass(frozen=True, slots=True)
class Change:
    """One stage change of one version."""

    version: ModelVersion
    to: DeploymentStage
    share: Decimal | None = None  # percent, canary only
    reason: str = ""

    @property
    def is_rollback(self) -> bool:
        return self.to == DeploymentStage.ROLLBACK

    @property
    def scope(self) -> str:
        """What whoever confirms it must be allowed to do."""
        return tokens.ROLL_BACK if self.is_rollback else tokens.DEPLOY

    @property
    def call(self) -> Call:
        """The API call that does the same."""
        place = f"{API}/models/{self.version.model_id}"
        if self.is_rollback:
            return Call("POST", f"{place}/rollback", {"reason": self.reason} if self.reason else {})
        share = {} if self.share is None else {"canary_percentage": float(self.share)}
        return Call("POST", f"{place}/deployment", {"status": str(self.to), **share})


@dataclass(frozen=True, slots=True)
class Done:
    """What a change did, or would do."""

    moves: tuple[StageTransition, ...]  # the one asked for first
    events: tuple[Event, ...]
    incident: Incident | None = None
    warnings: tuple[str, ...] = ()


def rehearse(change: Change, asker: Asker, *, now: datetime) -> Done:
    """What the change would do. It is made and taken back; nothing stays.

    Raises:
        RegistryError: As the change itself would.
    """
    asker.check(change.version.family, change.scope)
    with transaction.atomic():
        done = _make(change, asker, now)
        transaction.set_rollback(True)
    return done


def sealed(change: Change, asker: Asker, *, now: datetime) -> str:
    """The confirmation of this change, bound to the state its model is in now."""
    version = change.version
    plan = {
        "model_id": version.model_id,
        "to": str(change.to),
        "share": None if change.share is None else str(change.share),
        "reason": change.reason,
        "revision": version.revision,
        "generation": version.family.generation,
    }
    return seals.seal(plan, asker, now=now)


@transaction.atomic
def carry_out(plan: Mapping[str, Any], asker: Asker, *, now: datetime) -> tuple[Change, Done]:
    """Make a change that was sealed, if all is still as its plan said.

    Raises:
        NotAllowed: They may not make this change.
        PreconditionFailed: The model has changed since; so nothing is done twice.
        RegistryError: As the verbs refuse.
    """
    version = entries.find(plan["model_id"])
    share = None if plan["share"] is None else Decimal(plan["share"])
    change = Change(version, DeploymentStage(plan["to"]), share, plan["reason"])
    asker.check(version.family, change.scope)
    version = lifecycle.lock(version)
    if (version.revision, version.family.generation) != (plan["revision"], plan["generation"]):
        raise PreconditionFailed(
            f"{version.family} has changed since this was planned; ask again to see it anew."
        )
    change = replace(change, version=version)
    return change, _make(change, asker, now)


def _make(change: Change, asker: Asker, now: datetime) -> Done:
    """Call the verb; the caller holds a transaction and has checked, before any lock, who asks.

    Under the lock it is checked again, since a family may have changed its team.
    """
    version = lifecycle.lock(change.version)
    asker.check(version.family, change.scope)
    actor = actors.actor_of(asker.user)
    before = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    incident: Incident | None = None
    warnings: tuple[str, ...] = ()
    if change.is_rollback:
        incident = rollbacks.roll_back(version, actor=actor, now=now, reason=change.reason).incident
    else:
        made = promotions.promote(
            version, to=change.to, actor=actor, canary_percentage=change.share
        )
        warnings = made.warnings
    events = Event.objects.filter(version__family=version.family_id, pk__gt=before, actor=actor)
    return Done(_moves(events, version), tuple(events), incident, warnings)


def _moves(events: Any, version: ModelVersion) -> tuple[StageTransition, ...]:
    """The stage changes among events, the version's own first."""
    keys = [event.payload["transition_id"] for event in events if "to_stage" in event.payload]
    made = StageTransition.objects.filter(pk__in=keys).select_related("version").order_by("pk")
    return tuple(sorted(made, key=lambda move: move.version_id != version.pk))
