"""The Co-Pilot's box, which every page carries."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.auth.models import User
from django.template.context import Context

from governance.copilot import words
from monitoring import notices

register = template.Library()


@register.inclusion_tag("copilot/box.html", takes_context=True)
def copilot(context: Context) -> dict[str, Any]:
    """The box, and how many notices the reader has not read: one query."""
    user = context["request"].user
    known = isinstance(user, User)
    return {
        "shown": known,
        "unread": notices.unread_count(user) if known else 0,
        "longest": words.LONGEST,
        "asked": context.get("asked", ""),
    }
