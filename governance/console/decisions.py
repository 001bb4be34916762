"""A decision about one row: GET asks, POST with the CSRF token decides."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance.console.record import RecordAdmin, caller
from registry.errors import NotAllowed, NotFound


class ReasonForm(forms.Form):
    """Why it is decided so."""

    reason = forms.CharField(max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class DecidingAdmin(RecordAdmin):
    """A record with one decision that may be made about a row, such as revoking it."""

    verb: ClassVar[str]  # in the address and on the button
    form_class: ClassVar[type[forms.Form]] = ReasonForm

    def is_open(self, row: Any) -> bool:
        """Whether there is anything left to decide."""
        raise NotImplementedError

    def refusal(self, user: User, row: Any) -> str | None:
        """Why ``user`` may not decide this; None where they may."""
        raise NotImplementedError

    def question(self, row: Any) -> str:
        """What is asked, and what follows, in a sentence or two."""
        raise NotImplementedError

    def carry_out(self, row: Any, *, user: User, reason: str) -> str:
        """Call the verb; gives the sentence people are told."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.decide)
        own = path(f"<path:object_id>/{self.verb}/", view, name=self._url_name().split(":")[1])
        return [own, *super().get_urls()]

    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, or carry out what was asked."""
        row = self.get_object(request, object_id)
        if row is None:
            raise NotFound(f"There is no such {self.opts.verbose_name}.")
        user = caller(request)
        if refusal := self.refusal(user, row):
            raise NotAllowed(refusal)
        form = self.form_class(request.POST if request.method == "POST" else None)
        if form.is_valid():
            sentence = self.carry_out(row, user=user, reason=form.cleaned_data.get("reason", ""))
            self.message_user(request, sentence, messages.SUCCESS)
            return redirect(self._list_url())
        context = self.page(
            request,
            title=f"{self.verb.capitalize()}?",
            question=self.question(row),
            form=form,
            button=self.verb.capitalize(),
            back=self._list_url(),
        )
        status = 400 if form.is_bound else 200
        return TemplateResponse(request, "admin/governance/form.html", context, status=status)

    @admin.display(description="Decision")
    def decision(self, row: Any) -> SafeString | str:
        """The way to the decision, in a list; nothing where it was made."""
        if not self.is_open(row):
            return ""
        url = reverse(self._url_name(), args=[row.pk])
        return format_html('<a href="{}">{}…</a>', url, self.verb.capitalize())

    def _url_name(self) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{self.verb}"

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
