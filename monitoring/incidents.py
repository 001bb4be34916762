"""Open, acknowledge, comment on and resolve incidents; a repeat joins the one that is open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from monitoring.models import Incident, IncidentKind, RecordedVerdict, Severity
from registry import characters
from registry.errors import InvalidInput, NotFound
from registry.ledger import events
from registry.models import Event, ModelVersion, Remark, StageTransition

AGAIN = timedelta(hours=1)  # resolved less than this ago, the same names the former incident
LONGEST_TEXT = 4_000  # characters of a comment or a resolution


def find(pk: int) -> Incident:
    """The incident of this number, with all that it names.

    Raises:
        NotFound: There is none.
    """
    rows = Incident.objects.select_related(
        "version__family", "transition__remark", "verdict", "restored", "remark", "resolution"
    )
    found = rows.filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(f"There is no incident {pk}; GET incidents lists those there are.")
    return found


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
    """Open an incident and announce it, or join the one of this kind that is open already.

    The caller holds the family's lock.
    """
    facts: dict[str, Any] = {
        "version": version,
        "kind": kind,
        "severity": severity,
        "summary": summary,
        "reasons": list(reasons),
        "remark": remark,
        "transition": transition,
        "verdict": verdict,
        "restored": restored,
        "opened_at": now,
        "last_breach_at": now,
    }
    earlier = Incident.objects.select_for_update(of=("self",)).filter(version=version, kind=kind)
    standing = earlier.filter(resolved_at=None).first()
    if standing is not None:
        return _join(standing, Incident(**facts), actor)
    former = earlier.filter(resolved_at__gt=now - AGAIN).first()
    opened = Incident.objects.create(**facts, former=former)
    again = {"former_incident_id": former.pk} if former else {}
    _announce("incident.opened", opened, opened, actor, again)
    return opened


@transaction.atomic
def acknowledge(incident: Incident, *, actor: str, now: datetime) -> Incident:
    """Say that somebody is at it. The first to say so stands, and what is resolved stays so."""
    incident = _lock(incident)
    if incident.acknowledged_at is not None or incident.resolved_at is not None:
        return incident
    incident.acknowledged_at, incident.acknowledged_by = now, actor
    incident.save(update_fields=["acknowledged_at", "acknowledged_by"])
    _record("incident.acknowledged", incident, actor)
    return incident


@transaction.atomic
def comment(incident: Incident, text: str, *, actor: str) -> Event:
    """Put somebody's words on record, also when all is over.

    Raises:
        InvalidInput: There are none, too many, or ones that nobody can see.
    """
    if not text.strip():
        raise InvalidInput.of("text", "Say something: a comment has at least one word.")
    incident = _lock(incident)
    return _record("incident.commented", incident, actor, remark=_words(text, "text"))


@transaction.atomic
def resolve(incident: Incident, *, actor: str, now: datetime, note: str = "") -> Incident:
    """Close an incident. Twice changes nothing.

    Args:
        note: What was wrong, or what was done.

    Raises:
        InvalidInput: The note is too long, or has characters that nobody can see.
    """
    incident = _lock(incident)
    if incident.resolved_at is not None:
        return incident
    incident.resolved_at, incident.resolved_by = now, actor
    incident.resolution = _words(note, "note")
    incident.save(update_fields=["resolved_at", "resolved_by", "resolution"])
    _record("incident.resolved", incident, actor, remark=incident.resolution)
    return incident


def _lock(incident: Incident) -> Incident:
    rows = Incident.objects.select_for_update(of=("self",)).select_related("version")
    return rows.get(pk=incident.pk)


def _join(standing: Incident, found: Incident, actor: str) -> Incident:
    """Count a repeat; it is announced anew only if it is graver. A breach that lasts is none.

    Of two rollbacks the later one answers why the version is out now; the record keeps both.
    """
    if _lasts(standing, found):
        return standing
    raised = standing.severity == Severity.WARNING and found.severity == Severity.CRITICAL
    standing.breaches += 1
    standing.last_breach_at = found.last_breach_at
    changed = ["breaches", "last_breach_at"]
    if raised:
        standing.severity, standing.summary = found.severity, found.summary
        changed += ["severity", "summary"]
    if found.transition is not None:
        for name in ("transition", "verdict", "restored", "remark", "reasons", "summary"):
            setattr(standing, name, getattr(found, name))
            changed.append(name)
    standing.save(update_fields=changed)
    said = "incident.escalated" if raised else "incident.joined"
    _announce(said, standing, found, actor, {"breaches": standing.breaches})
    return standing


def _lasts(standing: Incident, found: Incident) -> bool:
    """Whether this is the breach, or the rollback, that the incident has counted already."""
    if found.transition is not None:
        return found.transition == standing.transition
    return found.verdict is not None and found.verdict.decided_at <= standing.last_breach_at


def _announce(
    event_type: str, incident: Incident, found: Incident, actor: str, more: dict[str, Any]
) -> None:
    """Record what was found, under the incident that it belongs to."""
    reasons = {"reasons": found.reasons} if found.reasons else {}
    told = {"severity": incident.severity, "summary": found.summary} | reasons | more
    _record(event_type, incident, actor, found.remark, told)


def _record(
    event_type: str,
    incident: Incident,
    actor: str,
    remark: Remark | None = None,
    more: dict[str, Any] | None = None,
) -> Event:
    about = {"incident_id": incident.pk, "kind": incident.kind}
    return events.record(
        event_type,
        subject=incident.version,
        actor=actor,
        remark=remark,
        payload=about | (more or {}),
    )


def _words(text: str, field: str) -> Remark | None:
    """Somebody's words, as a form or a program sent them."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_TEXT:
        raise InvalidInput.of(field, f"Use at most {LONGEST_TEXT} characters.")
    if not characters.is_printable(text.replace("\n", "").replace("\t", "")):
        raise InvalidInput.of(field, "Use printable characters only.")
    return events.remark(text)
