"""Pages of governance outside the console: the model card."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe

from governance import carding
from governance.models import ModelCard
from monitoring.views.page import PageView
from registry import entries
from registry.errors import NotFound


class CardView(PageView):
    """One revision of a version's model card."""

    def get(self, request: HttpRequest, model_id: str, revision: int) -> HttpResponse:
        version = entries.find(model_id)
        card = ModelCard.objects.filter(version=version, revision=revision).first()
        if card is None:
            raise NotFound(f"{model_id} has no card {revision}; generate-card makes one.")
        context = {
            "version": version,
            "card": card,
            # Made by markdown-it with raw HTML off, so people's words cannot bring markup along.
            "html": mark_safe(carding.html(card)),
        }
        return render(request, "governance/card.html", context)
