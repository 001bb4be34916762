"""The registry in figures."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from monitoring.pages import statistics
from monitoring.views.page import FragmentView, PageView
from registry import clock


class StatisticsView(PageView):
    """What is registered, what moved each day, what is open, and how fast rollbacks follow."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"statistics": statistics.read(now=clock.now())}
        return render(request, "monitoring/statistics.html", context)


class StatisticsFragment(FragmentView):
    """The same figures, fresh."""

    template = "monitoring/statistics_figures.html"

    def context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"statistics": statistics.read(now=clock.now())}
