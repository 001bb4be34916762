"""Incidents: the list with its filters, and the story of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict

from monitoring import incidents
from monitoring.models import (
    Incident,
    IncidentKind,
    PerformanceSnapshot,
    PlaybookRun,
    PlaybookStep,
)
from monitoring.pages import chronicle
from monitoring.pages.chronicle import Timeline
from monitoring.pages.figures import Figure, figure
from monitoring.pages.history import Line
from monitoring.pages.paging import Page, page
from monitoring.pages.why import Why, explain, share_before
from registry import actors
from registry.errors import InvalidInput

STATES = ("open", "resolved")
STEP = timedelta(microseconds=1)  # the database's
SNAPSHOTS = 10  # of the deciding window


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
    people: Mapping[str, str]  # who is at them, by the names people know


def board(filters: Filters, *, before: str) -> Board:
    """The open incidents, then a page of the resolved ones; both newest first."""
    every = filters.apply(Incident.objects.select_related("version__family", "restored"))
    opened = [] if before else list(every.filter(resolved_at=None).order_by("-pk"))
    resolved = every.filter(resolved_at__isnull=False)
    at_it = {incident.acknowledged_by for incident in opened} - {""}
    return Board(opened, page(resolved, before=before), actors.names(at_it))


def open_count() -> int:
    """How many incidents nobody has resolved yet; they have a small index of their own."""
    return Incident.objects.filter(resolved_at=None).count()


@dataclass(frozen=True, slots=True)
class Story:
    """One incident with all that is on record about it."""

    incident: Incident
    why: Why | None  # where it was a rollback
    evidence: Sequence[Figure]
    snapshots: list[PerformanceSnapshot]  # the newest of the deciding window, newest first
    people: Mapping[str, str]  # who dealt with it, by the names people know
    timeline: Timeline
    runs: list[PlaybookRun]

    @property
    def comments(self) -> list[Line]:
        """What people said, oldest first."""
        return [line for line in self.timeline.lines if line.event_type == "incident.commented"]

    @property
    def snapshots_address(self) -> str:
        """Where the API answers every snapshot of the deciding window; empty without a verdict."""
        verdict = self.incident.verdict
        if verdict is None:
            return ""
        after = verdict.window_end + STEP  # the API's end is not included, the window's is
        since = after - timedelta(minutes=verdict.window_minutes)
        asked = urlencode({"since": since.isoformat(), "until": after.isoformat()})
        return f"/api/model-registry/models/{self.incident.version.model_id}/performance?{asked}"

    @property
    def acknowledged_by(self) -> str:
        """Who said that they are at it; empty where nobody did."""
        return self.people.get(self.incident.acknowledged_by, "")

    @property
    def resolved_by(self) -> str:
        """Who closed it; empty where it is open."""
        return self.people.get(self.incident.resolved_by, "")


def story(pk: int) -> Story:
    """The incident of this number, told in full.

    Raises:
        NotFound: There is none.
    """
    incident = incidents.find(pk)
    made = incident.transition
    if made is not None:
        made.version = incident.version
    return Story(
        incident=incident,
        why=explain(made, incident, share=share_before(made)) if made is not None else None,
        evidence=[figure(t) for t in incident.verdict.triggers] if incident.verdict else [],
        snapshots=_snapshots(incident),
        people=actors.names({incident.acknowledged_by, incident.resolved_by} - {""}),
        timeline=chronicle.of(incident),
        runs=_runs(incident),
    )


def _snapshots(incident: Incident) -> list[PerformanceSnapshot]:
    """Those of the window that the verdict was given on; none where retention has dropped them."""
    verdict = incident.verdict
    if verdict is None:
        return []
    since = verdict.window_end - timedelta(minutes=verdict.window_minutes)
    rows = PerformanceSnapshot.objects.filter(
        model_version=incident.version_id,
        timestamp__gt=since,
        timestamp__lte=verdict.window_end,
    )
    return list(rows.order_by("-timestamp")[:SNAPSHOTS])


def _runs(incident: Incident) -> list[PlaybookRun]:
    """The playbook runs that opened the incident, joined it, or took its rollback over."""
    steps = PlaybookStep.objects.filter(
        run__version=incident.version_id, result__incident_id=incident.pk
    )
    return list(PlaybookRun.objects.filter(pk__in=steps.values("run")).order_by("pk"))
