"""The Co-Pilot's pages: its box is on every page and leads here, with or without JavaScript."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from governance.copilot import askers, conversation, lists
from governance.copilot.replies import Reply
from monitoring import notices
from monitoring.pages.paging import page
from monitoring.views.page import PageView, has_session
from registry import clock
from registry.errors import InvalidInput


class CopilotView(PageView):
    """GET answers what is asked and changes nothing; POST carries a confirmed plan out."""

    def get(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get("ask", "").strip()
        reply = lists.help_()
        if text:
            reply = conversation.ask(text, askers.by_user(self.reader), now=clock.now())
        return self.answer(request, reply, text)

    def post(self, request: HttpRequest) -> HttpResponse:
        reply = conversation.confirm(
            request.POST.get("confirmation", ""), askers.by_user(self.reader), now=clock.now()
        )
        return self.answer(request, reply, "")

    def answer(self, request: HttpRequest, reply: Reply, text: str) -> HttpResponse:
        """The whole page; htmx takes the reply out of it for the box."""
        context: dict[str, Any] = {"reply": reply, "asked": text, "signed_in": has_session(request)}
        return render(request, "copilot/page.html", context)


class InboxView(PageView):
    """GET lists the reader's notices; POST marks as read those up to the newest that was shown."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = page(notices.of(self.reader), before=request.GET.get("before", ""))
        told = [notices.told(notice) for notice in found.rows]
        context = {"notices": told, "page": found, "signed_in": has_session(request)}
        return render(request, "copilot/inbox.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        notices.mark_read(self.reader, up_to=_key(request), now=clock.now())
        return redirect("copilot-inbox")


def _key(request: HttpRequest) -> int:
    text = request.POST.get("up_to", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput.of("up_to", "Give the number of the newest notice that was shown.")
    return int(text)
