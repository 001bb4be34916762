"""Events as people read them: what happened, who did it, and the facts that came with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from registry import actors
from registry.models import Event, LedgerLeaf, StageTransition

TITLES: Mapping[str, str] = {
    "model.registered": "Registered",
    "model.amended": "Amended",
    "model.artifact.uploaded": "Artifact uploaded",
    "model.promoted": "Promoted",
    "model.canary.adjusted": "Canary share changed",
    "model.withdrawn": "Withdrawn",
    "model.rollback.requested": "Rollback requested",
    "model.rolled_back": "Rolled back",
    "model.restored": "Restored to production",
    "model.retried": "Sent back to sandbox",
    "model.archived": "Archived",
    "attestation.revoked": "Attestation revoked",
    "incident.opened": "Incident opened",
    "incident.joined": "Breached again",
    "incident.escalated": "Breached again, graver",
    "incident.acknowledged": "Incident acknowledged",
    "incident.commented": "Comment",
    "incident.resolved": "Incident resolved",
    "model.recovery.checked": "Recovery looked at",
    "progression.started": "Progression started",
    "progression.advanced": "Progression advanced",
    "progression.waiting": "Progression waits",
    "progression.paused": "Progression paused",
    "progression.resumed": "Progression resumed",
    "progression.aborted": "Progression aborted",
    "progression.finished": "Progression finished",
    "progression.stalled": "Progression stalled",
}
TONES: Mapping[str, str] = {
    "model.rolled_back": "bad",
    "model.rollback.requested": "bad",
    "incident.opened": "bad",
    "incident.joined": "bad",
    "incident.escalated": "bad",
    "incident.resolved": "ok",
    "model.restored": "ok",
    "model.promoted": "ok",
}
DIGEST = re.compile(r"[0-9a-f]{40,}")
# Said elsewhere in the line, or of use to programs only.
UNSAID = {
    "model_id", "remark_sha256", "from_stage", "to_stage", "transition_id", "attestation_id",
    "canary_basis_points", "reasons", "summary", "generation", "verdict_id",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One event or transition, ready to be read."""

    pk: int
    title: str
    tone: str
    at: datetime
    actor: str
    move: tuple[str, str] | None  # from, to
    share: float | None  # percent, canary only
    words: tuple[str, ...]  # reasons and remarks
    facts: tuple[tuple[str, str], ...]
    event_type: str = ""
    attested: bool = False
    leaf: int | None = None  # where it stands in the ledger's tree
    proven: bool = False  # a signed checkpoint covers it


def proven_lines(found: Iterable[Event], signed_size: int) -> list[Line]:
    """Events with their place in the ledger; they bring their ``leaf`` along."""
    listed = list(found)
    return [
        replace(line, leaf=leaf.index, proven=leaf.index < signed_size) if leaf else line
        for line, leaf in zip(lines(listed), map(_leaf, listed), strict=True)
    ]


def _leaf(event: Event) -> LedgerLeaf | None:
    return getattr(event, "leaf", None)  # a reverse one-to-one raises where there is none


def lines(found: Iterable[Event]) -> list[Line]:
    """Events in the order given; one query for the names of those who acted."""
    listed = list(found)
    called = actors.names(event.actor for event in listed)
    return [_line(event, called[event.actor]) for event in listed]


def moves(transitions: Iterable[StageTransition]) -> list[Line]:
    """Transitions in the order given; one query for the names of those who acted."""
    listed = list(transitions)
    called = actors.names(t.actor for t in listed)
    return [
        Line(
            pk=t.pk,
            title=t.get_kind_display(),
            tone="bad" if t.kind == "rolled_back" else "",
            at=t.at,
            actor=called[t.actor],
            move=(t.from_stage, t.to_stage),
            share=_percent(t.canary_basis_points),
            words=(t.remark.text,) if t.remark else (),
            facts=(),
            attested=t.attestation_id is not None,
        )
        for t in listed
    ]


def _line(event: Event, actor: str) -> Line:
    payload = event.payload
    to_stage = payload.get("to_stage")
    return Line(
        pk=event.pk,
        title=TITLES.get(event.event_type) or _spelled(event.event_type),
        tone=TONES.get(event.event_type, ""),
        at=event.timestamp,
        actor=actor,
        move=(payload.get("from_stage") or "", to_stage) if to_stage else None,
        share=_percent(payload.get("canary_basis_points")),
        words=tuple(_words(event)),
        facts=tuple(
            (_spelled(key).lower(), _shown(value))
            for key, value in payload.items()
            if key not in UNSAID and value not in (None, "", [])
        ),
        event_type=event.event_type,
    )


def _words(event: Event) -> Iterable[str]:
    if summary := event.payload.get("summary"):
        yield str(summary)
    yield from (str(reason) for reason in event.payload.get("reasons") or ())
    if event.remark is not None and event.remark.text:
        yield event.remark.text


def _spelled(name: str) -> str:
    """``model.card.generated`` → ``Model card generated``."""
    return name.replace(".", " ").replace("_", " ").capitalize()


def _shown(value: object) -> str:
    """A fact of the payload; of a digest, enough to recognise it by."""
    if isinstance(value, str) and DIGEST.fullmatch(value):
        return f"{value[:12]}…"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    return str(value)


def _percent(basis_points: int | None) -> float | None:
    return None if basis_points is None else basis_points / 100
