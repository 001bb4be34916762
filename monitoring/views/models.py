"""The list of model versions, one version, and rolling it back by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from monitoring import assessments, followings, predecessors, rollbacks
from monitoring.pages import catalogue, families, hearing, history, playbooks, version
from monitoring.pages.catalogue import Filters
from monitoring.pages.evidence import evidence
from monitoring.pages.paging import page
from monitoring.pages.parts import live_parts_of, parts_of
from monitoring.views.page import FragmentView, PageView, has_session
from registry import actors, clock, entries, permissions, tokens
from registry.errors import InvalidInput
from registry.models import DeploymentStage, LedgerCheckpoint


class ModelsView(PageView):
    """Every model version, newest first, with filters."""

    def get(self, request: HttpRequest) -> HttpResponse:
        filters = Filters.of(request.GET)
        context = {
            **_listed(request, filters),
            "choices": catalogue.choices(),
            "stages": DeploymentStage.choices,
            "base_url": request.build_absolute_uri("/").rstrip("/"),
        }
        return render(request, "monitoring/models.html", context)


class ModelsFragment(FragmentView):
    """The rows of the list, fresh."""

    template = "monitoring/models_rows.html"

    def context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = _listed(request, Filters.of(request.GET))
        return context | {"base_url": request.build_absolute_uri("/").rstrip("/")}


class ModelView(PageView):
    """One model version: where it stands, how it behaves, what was decided."""

    def get(self, request: HttpRequest, model_id: str) -> HttpResponse:
        found = entries.find(model_id)
        live = version.live(found, asked=request.GET.get("range", ""), now=clock.now())
        events = page(found.events.select_related("remark"), before="", size=version.EVENTS_SHOWN)
        context = {
            "version": found,
            "entry": entries.entries([found])[0],
            "live": live,
            "moves": history.moves(live.transitions),
            "traffic": families.traffic(found.family, now=clock.now()),
            "declared": version.declared(found),
            "evidence": evidence(found),
            "runs": playbooks.of_version(found),
            "live_parts": live_parts_of(found, self.reader),
            "parts": parts_of(found, self.reader),
            "events": history.lines(events.rows),
            "older_events": events.older,
            "hearing": hearing.of(self.reader, found),
            "signed_in": has_session(request),
            "may_roll_back": tokens.ROLL_BACK in self.scopes,
        }
        return render(request, "monitoring/model.html", context)


class ModelFragment(FragmentView):
    """The live part of a version's page, fresh."""

    template = "monitoring/model_live.html"

    def context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found = entries.find(kwargs["model_id"])
        asked = request.GET.get("range", "")
        return {
            "version": found,
            "live": version.live(found, asked=asked, now=clock.now()),
            "traffic": families.traffic(found.family, now=clock.now()),
            "live_parts": live_parts_of(found, self.reader),
            "may_roll_back": tokens.ROLL_BACK in self.scopes,
        }


class FollowView(PageView):
    """POST follows the model of a version, or no longer, in the reader's name."""

    def post(self, request: HttpRequest, model_id: str) -> HttpResponse:
        family = entries.find(model_id).family
        if (asked := request.POST.get("follow")) not in ("yes", "no"):
            raise InvalidInput.of("follow", "Say yes or no.")
        follows = asked == "yes"
        say = followings.follow if follows else followings.unfollow
        say(self.reader, family, now=clock.now())
        messages.success(
            request,
            f"You follow {family}." if follows else f"You no longer follow {family}.",
        )
        return redirect("model", model_id=model_id)


class HistoryView(PageView):
    """Every event of one version, newest first."""

    def get(self, request: HttpRequest, model_id: str) -> HttpResponse:
        found = entries.find(model_id)
        before = request.GET.get("before", "")
        events = page(found.events.select_related("remark", "leaf"), before=before)
        signed = LedgerCheckpoint.objects.order_by("-tree_size").first()
        context = {
            "version": found,
            "events": history.proven_lines(events.rows, signed.tree_size if signed else 0),
            "page": events,
            "signed": signed,
        }
        return render(request, "monitoring/history.html", context)


class RollbackView(PageView):
    """GET asks for a reason and confirmation; POST rolls back."""

    needs = tokens.ROLL_BACK

    def get(self, request: HttpRequest, model_id: str) -> HttpResponse:
        found = entries.find(model_id)
        in_production = found.stage == DeploymentStage.PRODUCTION
        context = {
            "version": found,
            "traffic": families.traffic(found.family, now=clock.now()),
            "restores": predecessors.hand_back_target(found) if in_production else None,
            "assessment": assessments.check(found, now=clock.now()),
            "signed_in": has_session(request),
        }
        return render(request, "monitoring/rollback.html", context)

    def post(self, request: HttpRequest, model_id: str) -> HttpResponse:
        found = entries.find(model_id)
        permissions.check_user_reach(self.reader, found.family, self.needs)
        outcome = rollbacks.roll_back(
            found,
            actor=actors.actor_of(self.reader),
            reason=request.POST.get("reason", "").strip(),
            now=clock.now(),
        )
        restored = f" {outcome.restored} is in production again." if outcome.restored else ""
        messages.success(request, f"{found} was rolled back.{restored}")
        return redirect("model", model_id=model_id)


def _listed(request: HttpRequest, filters: Filters) -> dict[str, Any]:
    before = request.GET.get("before", "")
    return {"filters": filters, "before": before, "list": catalogue.read(filters, before=before)}
