"""What needs people: the list of incidents, one incident, and dealing with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from monitoring import incidents as verbs
from monitoring import post_mortem
from monitoring.models import Incident, IncidentKind
from monitoring.pages import catalogue, chronicle, incidents
from monitoring.pages.incidents import Filters
from monitoring.views.page import FragmentView, PageView, has_session
from registry import actors, clock, permissions, tokens


class IncidentsView(PageView):
    """Open incidents first, then the resolved ones."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {
            **_board(request),
            "kinds": IncidentKind.choices,
            "teams": catalogue.choices()["team"],
        }
        return render(request, "monitoring/incidents.html", context)


class IncidentsFragment(FragmentView):
    """The rows of the list, fresh."""

    template = "monitoring/incidents_rows.html"

    def context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return _board(request)


class OpenCountFragment(FragmentView):
    """How many incidents are open, for the sidebar."""

    template = "parts/open_incidents.html"

    def context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"open_incidents": incidents.open_count()}


class IncidentView(PageView):
    """One incident: facts, evidence, and what happened when."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        context = {
            "story": incidents.story(pk),
            "may_deal": tokens.INCIDENTS in self.scopes,
            "signed_in": has_session(request),
            "longest_text": verbs.LONGEST_TEXT,
        }
        return render(request, "monitoring/incident.html", context)


class TimelineFragment(FragmentView):
    """What happened, fresh."""

    template = "monitoring/incident_timeline.html"

    def context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found = verbs.find(kwargs["pk"])
        return {"incident": found, "timeline": chronicle.of(found)}


class PostMortemView(PageView):
    """The incident written up, as a file."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        text = post_mortem.written(incidents.story(pk), settings.ASSAY_BASE_URL)
        name = f"incident-{pk}-post-mortem.md"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(text, content_type="text/markdown; charset=utf-8", headers=headers)


class ChangeView(ABC, PageView):
    """POST deals with an incident in the reader's name, and says so on its page."""

    needs = tokens.INCIDENTS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = verbs.find(pk)
        permissions.check_user_reach(self.reader, found.version.family, self.needs)
        said = self.deal(found, actors.actor_of(self.reader), request.POST.get("text", ""))
        messages.success(request, said)
        return redirect("incident", pk=pk)

    @abstractmethod
    def deal(self, found: Incident, actor: str, text: str) -> str:
        """Do it; the sentence that says so."""


class AcknowledgeView(ChangeView):
    """Say that somebody is at it."""

    def deal(self, found: Incident, actor: str, text: str) -> str:
        held = verbs.acknowledge(found, actor=actor, now=clock.now())
        if held.acknowledged_by not in ("", actor):
            return f"{actors.name(held.acknowledged_by)} is at incident {held.pk} already."
        return f"You are at incident {held.pk}."


class CommentView(ChangeView):
    """Put the reader's words on record."""

    def deal(self, found: Incident, actor: str, text: str) -> str:
        verbs.comment(found, text, actor=actor)
        return "Your comment is on record."


class ResolveView(ChangeView):
    """Close it."""

    def deal(self, found: Incident, actor: str, text: str) -> str:
        verbs.resolve(found, actor=actor, now=clock.now(), note=text)
        return f"Incident {found.pk} is resolved."


def _board(request: HttpRequest) -> dict[str, Any]:
    filters, before = Filters.of(request.GET), request.GET.get("before", "")
    return {
        "filters": filters,
        "before": before,
        "board": incidents.board(filters, before=before),
    }
