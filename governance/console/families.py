"""Registered models in the console: their risk tier, and when they are rolled back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance import rules
from governance.console.record import RecordAdmin, caller
from monitoring import looseness, policies
from monitoring.models import RollbackPolicy
from registry.models import ModelFamily, RiskTier


class TierForm(forms.Form):
    """Another risk tier, and why."""

    risk_tier = forms.ChoiceField(choices=RiskTier.choices)
    note = forms.CharField(max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class PolicyForm(forms.ModelForm):
    """The fields of a rollback policy, checked as the database will."""

    class Meta:
        model = RollbackPolicy
        fields = [
            "rule",
            "max_error_rate",
            "max_latency_factor",
            "max_ood_rate",
            "max_input_drift",
            "window_minutes",
            "min_requests",
            "min_requests_drift",
            "bake_minutes",
            "initial_delay_seconds",
            "cooldown_seconds",
            "mode",
            "dry_run",
            "hold_on_shared_cause",
            "without_predecessor",
        ]
        help_texts = {
            "rule": "Whose verdicts are acted on; evidence needs more of little traffic and leaves noise alone.",
            "max_error_rate": "Share of requests, over 0 and under 1.",
            "max_latency_factor": "Times the expected p95, at least 1.",
            "max_ood_rate": "Share of requests, over 0 and under 1.",
            "max_input_drift": "Score, over 0 and under 1.",
            "window_minutes": "How far back the triggers look.",
            "min_requests": "Fewer prove nothing.",
            "min_requests_drift": "Fewer prove nothing about drift.",
            "bake_minutes": "How long a canary is weighed before production; empty: one window.",
            "initial_delay_seconds": "After a stage was entered, before anything is rolled back.",
            "cooldown_seconds": "Between two hand-backs of production.",
            "dry_run": "Only tell what would be done.",
            "hold_on_shared_cause": "Production stays where a canary breaches the same.",
        }


class FamilyAdmin(RecordAdmin):
    """Registered models and the rules that hold for them."""

    list_display = ["name", "owner", "team", "risk_tier", "tier", "policy"]
    list_filter = ["risk_tier", "team"]
    list_select_related = ["rollback_policy"]
    search_fields = ["name"]

    @admin.display(description="Change tier")
    def tier(self, row: ModelFamily) -> SafeString:
        return _link("admin:registry_modelfamily_tier", row.pk, "Change…")

    @admin.display(description="Rollback policy")
    def policy(self, row: ModelFamily) -> SafeString:
        loose = looseness.loosened(policies.loaded(row))
        label = "Looser than the defaults…" if loose else "Edit…"
        return _link("admin:registry_modelfamily_policy", row.pk, label)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/tier/", wrap(self.change_tier), name="registry_modelfamily_tier"),
            path("<int:pk>/policy/", wrap(self.change_policy), name="registry_modelfamily_policy"),
            *super().get_urls(),
        ]

    def change_tier(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for another tier, or set it."""
        family = get_object_or_404(ModelFamily, pk=pk)
        form = TierForm(request.POST or None, initial={"risk_tier": family.risk_tier})
        if form.is_valid():
            chosen = RiskTier(form.cleaned_data["risk_tier"])
            note = form.cleaned_data["note"]
            rules.set_tier(family, chosen, reviewer=caller(request), note=note)
            return self._done(request, f"{family} is of tier {chosen}.")
        question = (
            f"{family} is of tier {family.risk_tier}. Another tier asks other things of a review, so "
            "every version needs to be reviewed anew before its next promotion."
        )
        return self._asked(request, f"Risk tier of {family}", question, form)

    def change_policy(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the policy to be edited, or change it."""
        family = get_object_or_404(ModelFamily, pk=pk)
        policy = policies.policy_of(family)
        form = PolicyForm(request.POST or None, instance=policy)
        if form.is_valid():
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            if changes:
                policy = rules.set_policy(family, changes, user=caller(request))
            return self._done(request, f"{policy} is at revision {policy.revision}.")
        loose = looseness.loosened(policies.policy_of(family))
        question = f"Looser than the defaults: {'; '.join(loose)}." if loose else "As the defaults."
        return self._asked(request, f"Rollback policy of {family}", question, form)

    def _asked(
        self, request: HttpRequest, title: str, question: str, form: Any
    ) -> TemplateResponse:
        context = self.page(
            request, title=title, question=question, form=form, button="Save", back=_list_url()
        )
        status = 400 if form.is_bound else 200
        return TemplateResponse(request, "admin/governance/form.html", context, status=status)

    def _done(self, request: HttpRequest, sentence: str) -> HttpResponse:
        self.message_user(request, sentence, messages.SUCCESS)
        return redirect(_list_url())


def _link(name: str, pk: int, label: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(name, args=[pk]), label)


def _list_url() -> str:
    return reverse("admin:registry_modelfamily_changelist")
