"""Self-healing as operations staff see it: playbooks, their runs, and one run."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from monitoring.pages import playbooks
from monitoring.views.page import FragmentView, PageView


class PlaybooksView(PageView):
    """Every run, newest first, and the playbooks there are."""

    def get(self, request: HttpRequest) -> HttpResponse:
        before = request.GET.get("before", "")
        context = {"board": playbooks.board(before=before), "before": before}
        return render(request, "monitoring/playbooks.html", context)


class RunView(PageView):
    """One run, step by step."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return render(request, "monitoring/playbook_run.html", {"account": playbooks.account(pk)})


class RunFragment(FragmentView):
    """The steps of a run, fresh."""

    template = "monitoring/playbook_steps.html"

    def context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"account": playbooks.account(kwargs["pk"])}
