"""What all pages have in common: who may look, and fragments that refresh themselves."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views import View
from django_htmx.http import HttpResponseClientRedirect

from registry import tokens
from registry.errors import NotAllowed


class PageView(View):
    """A page for whoever may read the registry; others are sent to sign in.

    ``scopes`` says what the reader may do, so that pages offer nothing they would refuse.
    """

    needs = tokens.READ
    reader: User
    scopes: frozenset[str]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return self.sign_in(request)
        self.reader = request.user
        self.scopes = tokens.scopes_of(self.reader)
        if self.needs not in self.scopes:
            roles = [role for role, held in tokens.SCOPES.items() if self.needs in held]
            raise NotAllowed(
                f"{self.reader} has no role that may do this; ask an administrator for the role "
                f"{' or '.join(roles)}."
            )
        return super().dispatch(request, *args, **kwargs)

    def sign_in(self, request: HttpRequest) -> HttpResponse:
        """Send the reader to the login page; from a fragment, the whole page goes there."""
        if "HX-Request" in request.headers:
            return HttpResponseClientRedirect(reverse("login"))
        back = request.get_full_path() if hasattr(self, "get") else reverse("models")
        return redirect_to_login(back)


class FragmentView(ABC, PageView):
    """A part of a page that htmx asks for again and again; unchanged, it is a bodiless 304."""

    template: str

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = render(request, self.template, self.context(request, *args, **kwargs))
        etag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
        answer["ETag"] = etag
        answer["Cache-Control"] = "private, no-cache"
        checked = get_conditional_response(request, etag=etag, response=answer)
        return answer if checked is None else checked

    @abstractmethod
    def context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What the template is rendered with."""


def has_session(request: HttpRequest) -> bool:
    """Whether the reader signed in; false for this machine's own, credential-less access."""
    return SESSION_KEY in request.session
