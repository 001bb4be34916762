"""Incidents: the list with its filters, and the story of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from monitoring.models import Incident, IncidentKind, PlaybookStep
from monitoring.pages import history
from monitoring.pages.figures import Figure, figure
from monitoring.pages.history import Line
from monitoring.pages.paging import Page, page
from monitoring.pages.why import Why, explain, share_before
from registry import actors
from registry.errors import InvalidInput, NotFound
from registry.models import Event

STATES = ("open", "resolved")
PRELUDE = timedelta(seconds=10)  # of the story, before the incident opened
STORY = 50  # events


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader asked to see; empty fields ask for nothing."""

    state: str = ""
    kind: str = ""
    team: str = ""

    @classmethod
    def of(cls, asked: QueryDict) -> Filters:
        """The filters of a query string.

        Raises:
            InvalidInput: The state or kind is unknown.
        """
        given = {name: asked.get(name, "").replace("\0", "").strip() for name in cls.__slots__}
        for name, known in (("state", STATES), ("kind", IncidentKind.values)):
            if given[name] not in ("", *known):
                raise InvalidInput.of(name, f"Give one of {', '.join(known)}.")
        return cls(**given)

    def __bool__(self) -> bool:
        return bool(self.query)

    @property
    def query(self) -> str:
        """The filters as a query string."""
        every = {name: getattr(self, name) for name in self.__slots__}
        return urlencode({name: value for name, value in every.items() if value})

    def apply(self, rows: QuerySet[Incident]) -> QuerySet[Incident]:
        """The incidents that pass every filter."""
        if self.state:
            rows = rows.filter(resolved_at__isnull=self.state == "open")
        if self.kind:
            rows = rows.filter(kind=self.kind)
        return rows.filter(version__team=self.team) if self.team else rows


@dataclass(frozen=True, slots=True)
class Board:
    """One page of incidents: on the newest page every open one stands first."""

    open: list[Incident]
    rest: Page[Incident]


def board(filters: Filters, *, before: str) -> Board:
    """The open incidents, then a page of the resolved ones; both newest first."""
    every = filters.apply(Incident.objects.select_related("version__family", "restored"))
    opened = [] if before else list(every.filter(resolved_at=None).order_by("-pk"))
    resolved = every.filter(resolved_at__isnull=False)
    return Board(opened, page(resolved, before=before))


def open_count() -> int:
    """How many incidents nobody has resolved yet; they have a small index of their own."""
    return Incident.objects.filter(resolved_at=None).count()


@dataclass(frozen=True, slots=True)
class Story:
    """One incident with all that is on record about it."""

    incident: Incident
    why: Why | None  # where it was a rollback
    evidence: Sequence[Figure]
    resolved_by: str  # a name people know
    lines: list[Line]  # oldest first
    run_id: int | None  # of the playbook that opened it


def story(pk: int) -> Story:
    """The incident of this key.

    Raises:
        NotFound: There is none.
    """
    found = Incident.objects.select_related(
        "version__family", "transition__remark", "verdict", "restored", "remark"
    )
    incident = found.filter(pk=pk).first()
    if incident is None:
        raise NotFound(f"There is no incident {pk}.")
    made = incident.transition
    if made is not None:
        made.version = incident.version
    return Story(
        incident=incident,
        why=explain(made, incident, share=share_before(made)) if made is not None else None,
        evidence=[figure(t) for t in incident.verdict.triggers] if incident.verdict else [],
        resolved_by=actors.name(incident.resolved_by) if incident.resolved_by else "",
        lines=history.lines(_events(incident)),
        run_id=_run_of(incident),
    )


def _events(incident: Incident) -> QuerySet[Event]:
    """What happened to the version around the incident, and to the one it was replaced by."""
    about = Q(version=incident.version_id)
    if incident.restored_id is not None:
        about |= Q(version=incident.restored_id, event_type="model.restored")
    found = Event.objects.filter(about, timestamp__gte=incident.opened_at - PRELUDE)
    if incident.resolved_at is not None:
        found = found.filter(timestamp__lte=incident.resolved_at + PRELUDE)
    return found.select_related("remark").order_by("pk")[:STORY]


def _run_of(incident: Incident) -> int | None:
    """The playbook run that opened the incident, or took its rollback over."""
    steps = PlaybookStep.objects.filter(
        run__version=incident.version_id, result__incident_id=incident.pk
    )
    return steps.values_list("run_id", flat=True).first()
