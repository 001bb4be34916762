"""The inbox: send a notice to whom an event concerns, show the unread, mark them read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import QuerySet

from monitoring.models import Notice
from registry.ledger import presentation
from registry.models import Event


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as people read it, its words taken from the record."""

    pk: int
    event_id: int
    model_id: str
    incident_id: int
    severity: str
    summary: str
    reasons: tuple[str, ...]
    sent_at: datetime
    read_at: datetime | None


def send(event: Event, people: Iterable[User]) -> None:
    """Put an opened incident into people's inboxes; a second time changes nothing."""
    Notice.objects.bulk_create(
        (Notice(user=person, event=event) for person in people), ignore_conflicts=True
    )


def of(user: User) -> QuerySet[Notice]:
    """All of somebody's notices, newest first, with what they tell of."""
    return user.notices.select_related("event__remark").order_by("-pk")


def unread(user: User) -> QuerySet[Notice]:
    """Those they have not read yet."""
    return of(user).filter(read_at=None)


def unread_count(user: User) -> int:
    """How many they have not read; these have a small index of their own."""
    return user.notices.filter(read_at=None).count()


def mark_read(user: User, *, up_to: int, now: datetime) -> int:
    """Mark those up to the key ``up_to`` as read; later ones nobody has seen. Gives how many."""
    return user.notices.filter(pk__lte=up_to, read_at=None).update(read_at=now)


def told(notice: Notice) -> Told:
    """A notice in words."""
    facts = presentation.payload(notice.event)
    return Told(
        pk=notice.pk,
        event_id=notice.event_id,
        model_id=facts["model_id"],
        incident_id=facts["incident_id"],
        severity=facts["severity"],
        summary=facts["summary"],
        reasons=tuple(facts.get("reasons", ())),
        sent_at=notice.sent_at,
        read_at=notice.read_at,
    )
