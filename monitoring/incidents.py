"""Open and resolve incidents; a repeat joins the one that is open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from monitoring.models import Incident, IncidentKind, RecordedVerdict, Severity
from registry.ledger import events
from registry.models import ModelVersion, Remark, StageTransition


@transaction.atomic
def open_for(
    version: ModelVersion,
    kind: IncidentKind,
    *,
    severity: Severity,
    summary: str,
    actor: str,
    now: datetime,
    reasons: Sequence[str] = (),
    remark: Remark | None = None,
    transition: StageTransition | None = None,
    verdict: RecordedVerdict | None = None,
    restored: ModelVersion | None = None,
) -> Incident:
    """Open an incident and announce it, or count a repeat of the one that is open already.

    The caller holds the family's lock.
    """
    standing = Incident.objects.filter(version=version, kind=kind, resolved_at=None).first()
    if standing is not None:
        Incident.objects.filter(pk=standing.pk).update(breaches=F("breaches") + 1)
        return standing
    incident = Incident.objects.create(
        version=version,
        kind=kind,
        severity=severity,
        summary=summary,
        reasons=list(reasons),
        remark=remark,
        transition=transition,
        verdict=verdict,
        restored=restored,
        opened_at=now,
    )
    events.record(
        "incident.opened",
        subject=version,
        actor=actor,
        remark=remark,
        payload={
            "incident_id": incident.pk,
            "kind": kind,
            "severity": severity,
            "summary": summary,
            **({"reasons": list(reasons)} if reasons else {}),
        },
    )
    return incident


@transaction.atomic
def resolve(incident: Incident, *, actor: str, now: datetime) -> Incident:
    """Close an incident. Twice changes nothing."""
    incident = Incident.objects.select_for_update().get(pk=incident.pk)
    if incident.resolved_at is not None:
        return incident
    incident.resolved_at, incident.resolved_by = now, actor
    incident.save(update_fields=["resolved_at", "resolved_by"])
    events.record(
        "incident.resolved",
        subject=incident.version,
        actor=actor,
        payload={"incident_id": incident.pk, "kind": incident.kind},
    )
    return incident
