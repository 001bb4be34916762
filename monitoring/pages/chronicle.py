"""What happened around an incident, in order: verdicts, events, playbooks, who was told, words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from monitoring.models import Incident, Notice, PlaybookStep, RecordedVerdict, StepState
from monitoring.pages import history
from monitoring.pages.figures import VERDICTS
from monitoring.pages.history import Line
from registry import actors
from registry.ledger.events import PULLED, WEBHOOK
from registry.models import (
    Delivery,
    DeliveryState,
    Event,
    LedgerCheckpoint,
    ModelVersion,
)

PRELUDE = timedelta(seconds=10)  # told before and after the incident's own time
MOST = 200  # events of each query; the version's history has all
MOVES = (  # of other versions of the model: what changed who answers
    "model.promoted",
    "model.canary.adjusted",
    "model.withdrawn",
    "model.rolled_back",
    "model.restored",
)
KNOWN = ("incident id", "kind")  # facts that the incident's own events need not repeat
INNER = ("digest", "event id")  # of use to programs only
ANNOUNCED = ("incident.opened", "incident.escalated")
TOLD: Mapping[str, str] = {
    DeliveryState.DONE: "Told by {}",
    DeliveryState.OWED: "Not told yet by {}",
    DeliveryState.PARKED: "Could not be told by {}",
}
TONES: Mapping[str, str] = {
    DeliveryState.PARKED: "bad",
    RecordedVerdict.Verdict.ROLLBACK: "bad",
    RecordedVerdict.Verdict.OK: "ok",
    StepState.FAILED: "bad",
}


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened, oldest first; ``left_out`` is how many events there is no room for."""

    lines: list[Line]
    left_out: int
    signed: LedgerCheckpoint | None  # which covers those that are proven


def of(incident: Incident) -> Timeline:
    """The timeline of an incident, from just before it opened until just after it was resolved.

    What people said of it afterwards belongs to it as well.
    """
    around, left_out = _around(incident)
    found = sorted({e.pk: e for e in (*around, *_own(incident))}.values(), key=lambda e: e.pk)
    signed = LedgerCheckpoint.objects.order_by("-tree_size").first()
    told = _named(incident, found, signed.tree_size if signed else 0)
    lines = [*_verdicts(incident), *told, *_steps(incident, found), *_deliveries(found)]
    return Timeline(sorted(lines, key=lambda line: line.at), left_out, signed)


def _span(incident: Incident) -> tuple[datetime, datetime | None]:
    """The time that is told of; without an end while it is open."""
    begun = [incident.opened_at]
    if incident.verdict is not None:
        begun.append(incident.verdict.decided_at)
    if incident.transition is not None:
        begun.append(incident.transition.at)
    ended = incident.resolved_at
    return min(begun) - PRELUDE, ended + PRELUDE if ended is not None else None


def _within(incident: Incident, field: str) -> Q:
    begun, ended = _span(incident)
    since = Q(**{f"{field}__gte": begun})
    return since if ended is None else since & Q(**{f"{field}__lte": ended})


def _around(incident: Incident) -> tuple[list[Event], int]:
    """Events of the version, and moves of its model's other versions; and how many are left out."""
    family = ModelVersion.objects.filter(family=incident.version.family_id).values("pk")
    rows = Event.objects.filter(
        Q(version=incident.version_id) | Q(event_type__in=MOVES),
        _within(incident, "timestamp"),
        version__in=family,
    )
    found = list(_with_words(rows).order_by("pk")[: MOST + 1])
    return found[:MOST], rows.count() - MOST if len(found) > MOST else 0


def _own(incident: Incident) -> list[Event]:
    """The incident's own events, whenever they were."""
    rows = Event.objects.filter(version=incident.version_id, payload__incident_id=incident.pk)
    return list(_with_words(rows).order_by("-pk")[:MOST])


def _with_words(rows: QuerySet[Event]) -> QuerySet[Event]:
    return rows.select_related("remark", "leaf", "version")


def _named(incident: Incident, found: list[Event], signed_size: int) -> Iterable[Line]:
    """Events as lines; those of another version say which, the incident's own need not."""
    for event, line in zip(found, history.proven_lines(found, signed_size), strict=True):
        facts = tuple(fact for fact in line.facts if fact[0] not in INNER)
        if event.payload.get("incident_id") == incident.pk:
            facts = tuple(fact for fact in facts if fact[0] not in KNOWN)
        if event.version is not None and event.version_id != incident.version_id:
            facts = (("model", event.version.model_id), *facts)
        yield replace(line, facts=facts)


def _verdicts(incident: Incident) -> Iterable[Line]:
    """What the monitor said of the version meanwhile."""
    rows = RecordedVerdict.objects.filter(
        _within(incident, "decided_at"), version=incident.version_id
    )
    for verdict in rows.order_by("pk")[:MOST]:
        yield Line(
            pk=verdict.pk,
            title=f"Verdict: {VERDICTS[verdict.verdict]}",
            tone=TONES.get(verdict.verdict, ""),
            at=verdict.decided_at,
            actor=actors.LABELS[actors.MONITOR],
            move=None,
            share=None,
            words=tuple(verdict.reasons),
            facts=(
                ("stage", verdict.stage),
                ("rule", verdict.rule),
                ("window", f"{verdict.window_minutes} min"),
            ),
        )


def _steps(incident: Incident, found: list[Event]) -> Iterable[Line]:
    """The settled steps of playbooks that ran about the version meanwhile.

    A step is told of after the events that it made, and after all that its run did before.
    """
    rows = PlaybookStep.objects.filter(
        _within(incident, "run__started_at"),
        run__version=incident.version_id,
        state__in=(StepState.DONE, StepState.FAILED),
    ).select_related("run")
    made = {
        (name, event.payload[name]): event.timestamp for event in found for name in _makes(event)
    }
    before: dict[int, datetime] = {}
    for step in rows.order_by("run", "position")[:MOST]:
        keys = [("run_id", step.run_id), *filter(_is_key, step.result.items())]
        own = [made[key] for key in keys if key in made]
        times = [*own, *filter(None, (step.settled_at, before.get(step.run_id)))]
        before[step.run_id] = max(times)
        yield _step(step, before[step.run_id])


def _makes(event: Event) -> tuple[str, ...]:
    """By which of its facts a step or its run is known to have made this event."""
    if event.event_type == "playbook.started":
        return ("run_id",)
    if event.event_type == "model.rolled_back":
        return ("transition_id",)
    return ("incident_id",) if event.event_type in ANNOUNCED else ()


def _is_key(fact: tuple[str, object]) -> bool:
    return isinstance(fact[1], int)


def _step(step: PlaybookStep, at: datetime) -> Line:
    undone = "" if step.undoes is None else " (undoing)"
    return Line(
        pk=step.pk,
        title=f"Playbook step: {step.name.replace('_', ' ')}{undone}",
        tone=TONES.get(step.state, ""),
        at=at,
        actor=actors.LABELS[actors.PLAYBOOK],
        move=None,
        share=None,
        words=(step.error,) if step.error else (),
        facts=(("run", str(step.run_id)),),
    )


def _deliveries(found: list[Event]) -> Iterable[Line]:
    """Whom the incident was announced to, by which way, and how that went."""
    announced = [event for event in found if event.event_type in ANNOUNCED]
    if not announced:
        return
    readers: dict[int, list[str]] = {}
    notices = Notice.objects.filter(event__in=announced)
    for event_id, name in notices.order_by("user__username").values_list("event", "user__username"):
        readers.setdefault(event_id, []).append(name)
    for owed in Delivery.objects.filter(event__in=announced).order_by("pk").select_related("event"):
        way = _way(owed.subscriber)
        told = ", ".join(readers.get(owed.event_id, ())) if way == "inbox" else ""
        attempts = str(owed.attempts) if owed.attempts > 1 or owed.last_error else ""
        yield Line(
            pk=owed.pk,
            title=TOLD[owed.state].format(way),
            tone=TONES.get(owed.state, ""),
            at=owed.settled_at or owed.event.timestamp,
            actor="delivery",
            move=None,
            share=None,
            words=(owed.last_error,) if owed.state == DeliveryState.PARKED else (),
            facts=tuple((k, v) for k, v in (("to", told), ("attempts", attempts)) if v),
        )


def _way(subscriber: str) -> str:
    """``monitoring.notifications.mail.announce`` is mail; others are said as what they are."""
    if subscriber.startswith(WEBHOOK):
        return "webhook"
    if subscriber.startswith(PULLED):
        return f"the subscription {subscriber.removeprefix(PULLED)}"
    ours = subscriber.startswith("monitoring.notifications.")
    return subscriber.split(".")[-2] if ours else f"the handler {subscriber}"
