"""Acknowledge and resolve incidents in the Co-Pilot's words: a plan first, then the verb."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from governance.copilot import seals
from governance.copilot.askers import Asker
from governance.copilot.changes import API
from governance.copilot.grammar import Asked, Intent
from governance.copilot.places import incident_record
from governance.copilot.replies import Call, Kind, Reply, refusal
from monitoring import incidents
from monitoring.models import Incident
from registry import actors, tokens
from registry.errors import NotAllowed, NotFound


def propose(asked: Asked, asker: Asker, *, now: datetime) -> Reply:
    """The plan of what was asked; nothing changes."""
    plan: dict[str, Any] = {
        "incident": int(asked.slots["incident"]),
        "deed": str(asked.intent),
        "note": asked.slots.get("reason", ""),
    }
    try:
        found = incidents.find(plan["incident"])
        asker.check(found.version.family, tokens.INCIDENTS)
    except (NotAllowed, NotFound) as no:
        return refusal(str(no))
    if is_done(found, asked.intent):
        return refusal(f"Incident {found.pk} is {said_of(found)} already; nothing would change.")
    because = f" with the note: {plan['note']}" if plan["note"] else ""
    return Reply(
        Kind.PLAN,
        (f"Plan: {asked.intent} incident {found.pk}{because}.", found.summary),
        call=_call(plan),
        records=(incident_record(found),),
        confirmation=seals.seal(plan, asker, now=now),
    )


@transaction.atomic
def confirm(plan: Mapping[str, Any], asker: Asker, *, now: datetime) -> Reply:
    """Do it; what somebody did meanwhile stands.

    Raises:
        NotAllowed: They may not.
    """
    found = incidents.find(plan["incident"])
    asker.check(found.version.family, tokens.INCIDENTS)
    actor = actors.actor_of(asker.user)
    if plan["deed"] == Intent.RESOLVE:
        held = incidents.resolve(found, actor=actor, now=now, note=plan["note"])
    else:
        held = incidents.acknowledge(found, actor=actor, now=now)
    return Reply(
        Kind.ANSWER,
        (f"Done. Incident {held.pk} is {said_of(held)}.",),
        call=_call(plan),
        records=(incident_record(held),),
    )


def is_done(incident: Incident, deed: Intent) -> bool:
    """Whether the deed would change nothing."""
    resolved = incident.resolved_at is not None
    return resolved or (deed is Intent.ACKNOWLEDGE and incident.acknowledged_at is not None)


def said_of(incident: Incident) -> str:
    """How far it is dealt with, and by whom."""
    if incident.resolved_at is not None:
        return f"resolved by {actors.name(incident.resolved_by)}"
    return f"acknowledged by {actors.name(incident.acknowledged_by)}"


def _call(plan: Mapping[str, Any]) -> Call:
    body = {"note": plan["note"]} if plan["note"] else {}
    return Call("POST", f"{API}/incidents/{plan['incident']}/{plan['deed']}", body)
