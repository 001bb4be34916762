"""Bearer tokens in the console: issued by administrators, revoked by them or their holders."""

from __future__ import annotations

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from governance.console.decisions import DecidingAdmin
from governance.console.records import NoReasonForm
from registry import clock, tokens
from registry.errors import InvalidInput, NotAllowed
from registry.models import ApiToken, ModelFamily


class TokenForm(forms.Form):
    """Whose token, and what it reaches."""

    username = forms.CharField(max_length=150, help_text="Made where there is no such user.")
    role = forms.ChoiceField(choices=[(role, role.replace("_", " ")) for role in tokens.SCOPES])
    family = forms.ModelChoiceField(
        ModelFamily.objects.all(),
        required=False,
        help_text="Bound to this model; empty: any. Role serving has to name one.",
    )
    team = forms.CharField(
        max_length=200, required=False, help_text="Bound to this team's models; empty: any."
    )
    expires_at = forms.SplitDateTimeField(
        required=False,
        help_text="UTC; empty: it does not expire.",
        widget=forms.SplitDateTimeWidget(date_attrs={"type": "date"}, time_attrs={"type": "time"}),
    )

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        User.username_validator(username)
        return username


class TokenAdmin(DecidingAdmin):
    """Every token, without what opens doors: that is shown once, when it is issued."""

    verb = "revoke"
    form_class = NoReasonForm
    fields = [
        "user", "role", "scopes", "family", "team",
        "created_at", "expires_at", "last_used_at", "revoked_at",
    ]  # fmt: skip
    list_display = [
        "user",
        "role",
        "family",
        "team",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
        "decision",
    ]
    list_filter = ["role"]
    list_select_related = ["user", "family"]
    search_fields = ["user__username"]
    ordering = ["-pk"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """Ask whose token, or issue it and show it this once."""
        if not self.has_add_permission(request):
            raise NotAllowed("Administrators issue tokens.")
        form = TokenForm(request.POST or None)
        token = _issued(form) if form.is_valid() else None
        context = self.page(
            request,
            title="Issue a token",
            question="It opens what its role may do. Its user joins the group of that name.",
            form=form,
            button="Issue",
            back=reverse("admin:registry_apitoken_changelist"),
            token=token,
        )
        status = 400 if form.is_bound and token is None else 200
        return TemplateResponse(request, "admin/governance/token.html", context, status=status)

    def is_open(self, row: ApiToken) -> bool:
        return row.revoked_at is None

    def refusal(self, user: User, row: ApiToken) -> str | None:
        able = user.is_superuser or row.user_id == user.pk
        return None if able else f"Administrators and {row.user} revoke this token."

    def question(self, row: ApiToken) -> str:
        return f"Whatever uses this {row} is refused from now on."

    def carry_out(self, row: ApiToken, *, user: User, reason: str) -> str:
        tokens.revoke(row, now=clock.now())
        return f"The {row} is revoked."


def _issued(form: TokenForm) -> str | None:
    """The token asked for; where it is refused, the form says by which field and why."""
    asked = form.cleaned_data
    try:
        return tokens.issue(
            asked["username"],
            role=asked["role"],
            family=asked["family"],
            team=asked["team"],
            expires_at=asked["expires_at"],
        )
    except InvalidInput as refusal:
        for error in refusal.errors:
            form.add_error(error.pointer.removeprefix("/"), error.detail)
        return None
