"""What needs people: the list of incidents, one incident, and resolving it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from monitoring import incidents as verbs
from monitoring.models import IncidentKind
from monitoring.pages import catalogue, incidents
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
            "may_resolve": tokens.ROLL_BACK in self.scopes,
            "signed_in": has_session(request),
        }
        return render(request, "monitoring/incident.html", context)


class ResolveView(PageView):
    """POST closes an incident."""

    needs = tokens.ROLL_BACK

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = incidents.story(pk).incident
        permissions.check_user_reach(self.reader, found.version.family, self.needs)
        verbs.resolve(found, actor=actors.actor_of(self.reader), now=clock.now())
        messages.success(request, f"Incident {pk} is resolved.")
        return redirect("incident", pk=pk)


def _board(request: HttpRequest) -> dict[str, Any]:
    filters, before = Filters.of(request.GET), request.GET.get("before", "")
    return {
        "filters": filters,
        "before": before,
        "board": incidents.board(filters, before=before),
    }
