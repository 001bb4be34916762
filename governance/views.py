"""The page of a model card, and steering a progression from a model's page."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe

from governance import carding
from governance.console.record import caller
from governance.models import ModelCard
from governance.progressions import steering
from monitoring.views.page import PageView
from registry import clock, entries, permissions, tokens
from registry.actors import actor_of
from registry.errors import InvalidInput, NotAllowed, NotFound
from registry.models import ModelVersion


class CardsView(PageView):
    """GET shows the latest card, or offers to make the first; POST makes the card of now."""

    def get(self, request: HttpRequest, model_id: str) -> HttpResponse:
        version = entries.find(model_id)
        latest = version.cards.first()
        if latest is not None:
            return redirect("model-card", model_id=model_id, revision=latest.revision)
        return render(request, "governance/card.html", _context(version, None))

    def post(self, request: HttpRequest, model_id: str) -> HttpResponse:
        if tokens.DEPLOY not in self.scopes:
            raise NotAllowed(f"{request.user} has no role that makes model cards.")
        version = entries.find(model_id)
        permissions.check_user_reach(self.reader, version.family, tokens.DEPLOY)
        card = carding.generate(version, actor=actor_of(caller(request)))
        return redirect("model-card", model_id=model_id, revision=card.revision)


class CardView(PageView):
    """One revision of a model card, as it was made."""

    def get(self, request: HttpRequest, model_id: str, revision: int) -> HttpResponse:
        version = entries.find(model_id)
        card = version.cards.filter(revision=revision).first()
        if card is None:
            raise NotFound(f"{model_id} has no card {revision}.")
        return render(request, "governance/card.html", _context(version, card))


class ProgressionView(PageView):
    """POST starts, pauses, resumes, advances or aborts a progression in the reader's name."""

    needs = tokens.DEPLOY

    def post(self, request: HttpRequest, model_id: str) -> HttpResponse:
        version = entries.find(model_id)
        permissions.check_user_reach(self.reader, version.family, self.needs)
        asked = request.POST.get("action", "")
        if asked != "start" and asked not in steering.STEERED:
            raise InvalidInput.of("action", "Start, pause, resume, advance or abort it.")
        verb = partial(steering.steer, action=asked) if asked != "start" else steering.start
        note = request.POST.get("note", "").strip()
        verb(version, actor=actor_of(caller(request)), now=clock.now(), note=note)
        messages.success(request, f"The progression of {version}: {asked} is done.")
        return redirect("model", model_id=model_id)


def _context(version: ModelVersion, card: ModelCard | None) -> dict[str, Any]:
    return {
        "version": version,
        "card": card,
        "html": mark_safe(carding.html(card)) if card else "",  # markup in words is escaped there
        "revisions": list(version.cards.values_list("revision", flat=True)),
    }
