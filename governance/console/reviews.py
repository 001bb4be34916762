"""The review pages: the list, one version's evidence beside two ticks, and its promotion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Case, F, Model, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from governance import flags, gates, promotions, reviews
from governance.console.dossier import Dossier, dossier
from governance.console.forms import MoveForm, ReviewForm
from governance.console.record import RecordAdmin, RecordList, caller
from governance.models import CheckResult, Review
from monitoring.templatetags import assay
from registry import clock, entries, lifecycle, permissions, tokens
from registry.actors import actor_of
from registry.errors import NotAllowed, PromotionBlocked, RegistryError
from registry.models import GATED_STAGES, DeploymentStage, Event, ModelVersion

OPEN_STAGES = ("development", "sandbox", "canary")
ASKED, UNSETTLED, REST = 0, 1, 2  # whose turn it is, in the order of the list


class ReviewList(RecordList):
    """The list of versions; each leads to its review page."""

    def url_for_result(self, result: Model) -> str:
        return page_url(str(result))


class ReviewAdmin(RecordAdmin):
    """Versions as reviewers see them: what waits for them comes first."""

    list_display = [
        "model_id",
        "family",
        "in_stage",
        "tier",
        "compliance",
        "bias",
        "owner",
        "asked",
    ]
    list_filter = ["stage", "family__risk_tier", "framework", "team"]
    list_select_related = ["family"]
    search_fields = ["model_id", "owner", "team"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ReviewList]:
        return ReviewList

    def get_ordering(self, request: HttpRequest) -> list[str | Combinable]:
        return ["turn", "-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """Every version, with whose turn it is: reviewers', where they were asked and not heard."""
        requests = Event.objects.filter(version=OuterRef("pk"), event_type="model.review.requested")
        results = CheckResult.objects.filter(version=OuterRef("pk"))
        rows = Review.objects.annotate(
            asked_at=Subquery(requests.order_by("-pk").values("timestamp")[:1]),
            settled_at=Subquery(results.order_by("-pk").values("settled_at")[:1]),
        )
        unheard = Q(settled_at=None) | Q(settled_at__lt=F("asked_at"))
        return rows.annotate(
            turn=Case(
                When(unheard, asked_at__isnull=False, then=Value(ASKED)),
                When(settled_at=None, stage__in=OPEN_STAGES, then=Value(UNSETTLED)),
                default=Value(REST),
            )
        )

    def decorate(self, rows: Sequence[Any]) -> None:
        found = flags.entry_part(rows)
        for row in rows:
            row.flags = found[row.pk]

    @admin.display(description="Stage", ordering="stage")
    def in_stage(self, row: Any) -> SafeString:
        return assay.stage(row.stage, row.canary_percentage)

    @admin.display(description="Tier", ordering="family__risk_tier")
    def tier(self, row: Any) -> str:
        return str(row.family.risk_tier)

    @admin.display(description="Constitution")
    def compliance(self, row: Any) -> SafeString:
        return assay.check(row.flags["constitutional_compliance"], "Constitutional compliance")

    @admin.display(description="Bias")
    def bias(self, row: Any) -> SafeString:
        return assay.check(row.flags["bias_check_passed"], "Bias")

    @admin.display(description="Review asked for", ordering="asked_at")
    def asked(self, row: Any) -> SafeString | str:
        return assay.ago(row.asked_at) if row.turn == ASKED else ""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/change/", wrap(self.to_page), name="governance_review_change"),
            path("<str:model_id>/promote/", wrap(self.promote), name="governance_promote"),
            path("<str:model_id>/", wrap(self.review), name="governance_review_page"),
            *super().get_urls()[:1],  # the list; rows have no other page
        ]

    def to_page(self, request: HttpRequest, pk: int) -> HttpResponseRedirect:
        """The admin's own address of a row leads to its review page."""
        return redirect(page_url(get_object_or_404(ModelVersion, pk=pk).model_id))

    def review(self, request: HttpRequest, model_id: str) -> HttpResponse:
        """The evidence beside two ticks; POST settles and signs."""
        user, version = caller(request), entries.find(model_id)
        found = dossier(version, user, now=clock.now())
        form = _form(found, user, request)
        status = 400 if form.is_bound else 200
        if form.is_valid():
            try:
                return self._reviewed(request, version, user, form)
            except RegistryError as refusal:
                form.add_error(None, str(refusal))
                status = refusal.status
        if form.wait is not None:
            status = 429
        answer = self._page(request, "review", found, status=status, form=form)
        if form.wait is not None:
            answer["Retry-After"] = str(form.wait)
        return answer

    def _reviewed(
        self, request: HttpRequest, version: ModelVersion, user: User, form: ReviewForm
    ) -> HttpResponse:
        done = reviews.settle_and_sign(
            version, verdicts=form.verdicts(), reviewer=user, signing=form.signing(), console=True
        )
        if done.approval is None:
            sentence = "Recorded. Nothing was signed, since not every check passed."
            self.message_user(request, sentence, messages.WARNING)
        else:
            role = done.approval.role.replace("_", " ")
            sentence = f"You approved {version} for {done.approval.scope} as {role}."
            self.message_user(request, sentence, messages.SUCCESS)
        return redirect(page_url(version.model_id))

    def promote(self, request: HttpRequest, model_id: str) -> HttpResponse:
        """GET says what a move would do and what is in its way; POST makes it."""
        user, version = caller(request), entries.find(model_id)
        if tokens.DEPLOY not in tokens.scopes_of(user):
            raise NotAllowed(f"{user} has no role that promotes models.")
        form = MoveForm(request.POST if request.method == "POST" else request.GET)
        status = 200
        if not form.is_valid():
            status = 400
        elif request.method == "POST":
            try:
                return self._moved(request, version, user, form)
            except RegistryError as refusal:
                form.add_error(None, _sentences(refusal))
                status = refusal.status
        to = form.cleaned_data.get("to", "")
        return self._page(
            request,
            "move",
            dossier(version, user, now=clock.now()),
            status=status,
            form=form,
            to=to,
            share=form.cleaned_data.get("canary_percentage"),
            blockers=_blockers(version, to),
        )

    def _moved(
        self, request: HttpRequest, version: ModelVersion, user: User, form: MoveForm
    ) -> HttpResponse:
        asked = form.cleaned_data
        to = DeploymentStage(asked["to"])
        if to == DeploymentStage.ROLLBACK and tokens.ROLL_BACK not in tokens.scopes_of(user):
            raise NotAllowed(f"{user} has no role that rolls models back.")
        scope = tokens.ROLL_BACK if to == DeploymentStage.ROLLBACK else tokens.DEPLOY
        permissions.check_user_reach(user, version.family, scope)
        done = promotions.promote(
            version,
            to=to,
            actor=actor_of(user),
            canary_percentage=asked["canary_percentage"],
            reason=asked["reason"],
        )
        share = done.transition.canary_basis_points
        at = "" if share is None else f" at {share / 100:g} %"
        self.message_user(request, f"{version} is in {to}{at}.", messages.SUCCESS)
        for warning in done.warnings:
            self.message_user(request, warning, messages.WARNING)
        return redirect(page_url(version.model_id))

    def _page(
        self, request: HttpRequest, name: str, found: Dossier, *, status: int, **more: Any
    ) -> TemplateResponse:
        context = self.page(request, title=found.version.model_id, dossier=found, **more)
        return TemplateResponse(request, f"admin/governance/{name}.html", context, status=status)


def page_url(model_id: str) -> str:
    """The review page of a version."""
    return reverse("admin:governance_review_page", args=[model_id])


def _form(found: Dossier, user: User, request: HttpRequest) -> ReviewForm:
    return ReviewForm(
        request.POST if request.method == "POST" else None,
        reviewer=user,
        tier=found.tier,
        next_scope=found.next_scope,
        note_needed=found.note_needed,
        address=request.META.get("REMOTE_ADDR", ""),
        disabled=found.refusal is not None and request.method == "GET",
    )


def _blockers(version: ModelVersion, to: str) -> list[str]:
    """What is in the way of a move, as far as it can be said beforehand."""
    try:
        lifecycle.kind_of(version, DeploymentStage(to))
    except (ValueError, RegistryError) as refusal:
        return [str(refusal)]
    if to not in GATED_STAGES:
        return []
    return gates.blockers(version, DeploymentStage(to), now=clock.now())


def _sentences(refusal: RegistryError) -> list[str]:
    return refusal.blockers if isinstance(refusal, PromotionBlocked) else [str(refusal)]
