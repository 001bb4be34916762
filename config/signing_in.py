"""The sign-in pages: Django's, but that they look at no password of whom has to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse

from registry import attempts, clock


class SignInForm(AuthenticationForm):
    """Name and password, of whoever did not give too many wrong ones."""

    wait: int | None = None  # seconds until a password is looked at again

    def clean(self) -> dict[str, Any]:
        asked = self.cleaned_data
        if not {"username", "password"} <= asked.keys():
            return asked
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        username = asked["username"]
        self.wait = attempts.begin(username, address)
        if self.wait is not None:
            raise forms.ValidationError(attempts.refusal(self.wait, now=clock.now()))
        asked = super().clean()
        attempts.succeeded(username, address)
        return asked


class ConsoleSignInForm(SignInForm, AdminAuthenticationForm):
    """The same, of those who may enter the console."""


def page(request: HttpRequest) -> HttpResponseBase:
    """The sign-in page of everybody."""
    return _told(_everybody(request))


def console(request: HttpRequest) -> HttpResponseBase:
    """The sign-in page of the console."""
    return _told(admin.site.login(request))


_everybody: Callable[..., HttpResponseBase] = LoginView.as_view(
    template_name="login.html", authentication_form=SignInForm
)
admin.site.login_form = ConsoleSignInForm


def _told(answer: HttpResponseBase) -> HttpResponseBase:
    """Status and Retry-After say as well where somebody has to wait."""
    form = (answer.context_data or {}).get("form") if isinstance(answer, TemplateResponse) else None
    if isinstance(form, SignInForm) and form.wait is not None:
        answer.status_code = 429
        answer.headers["Retry-After"] = str(form.wait)
    return answer
