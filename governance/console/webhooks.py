"""Webhooks in the console: where events go, how they fare, and each attempt. All to be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance.console.record import RecordAdmin
from registry import tokens
from registry.ledger.events import WEBHOOK
from registry.models import Webhook, WebhookAttempt
from registry.webhooks import endpoints

MANAGES = "assay.manages_webhooks"  # in a request's META


def called(subscribers: Iterable[str]) -> dict[str, str]:
    """How people know each subscriber: a webhook by where it is, others by their own name.

    Only the host of a URL: the rest may carry a token of its owner's, and everybody in the console
    sees deliveries.
    """
    names = set(subscribers)
    keys = [endpoints.key_of(name) for name in names if name.startswith(WEBHOOK)]
    hooks = Webhook.objects.filter(pk__in=keys) if keys else []
    places = {endpoints.subscriber(hook): _place(hook.url) for hook in hooks}
    return {name: places.get(name, name) for name in names}


def _place(url: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}/…"


class WebhookRecordAdmin(RecordAdmin):
    """What only those see who manage webhooks: URLs may carry tokens."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request, obj) and _manages_webhooks(request)


def _manages_webhooks(request: HttpRequest) -> bool:
    # Asked once a request: the console's menu asks it for each of its entries.
    if MANAGES not in request.META:
        user = request.user
        request.META[MANAGES] = isinstance(user, User) and tokens.WEBHOOKS in tokens.scopes_of(user)
    return bool(request.META[MANAGES])


class WebhookAdmin(WebhookRecordAdmin):
    """Every webhook, without its secrets."""

    list_display = ["url", "types", "state", "last_attempt", "log"]
    fields = ["url", "description", "types", "state", "created_at"]
    readonly_fields = ["types", "state"]
    search_fields = ["url", "description"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        newest = WebhookAttempt.objects.filter(webhook=OuterRef("pk")).order_by("-pk")
        rows: QuerySet[Webhook] = super().get_queryset(request)
        return rows.annotate(
            tried_at=Subquery(newest.values("at")[:1]),
            tried_status=Subquery(newest.values("status")[:1]),
        )

    @admin.display(description="Event types")
    def types(self, row: Webhook) -> str:
        return ", ".join(row.event_types)

    @admin.display(description="State")
    def state(self, row: Webhook) -> str:
        return f"disabled: {row.disabled_why}" if row.disabled_at else "enabled"

    @admin.display(description="Last attempt")
    def last_attempt(self, row: Any) -> str:
        if row.tried_at is None:
            return "never tried"
        return f"{row.tried_at:%Y-%m-%d %H:%M:%S} UTC: {row.tried_status or 'no answer'}"

    @admin.display(description="Attempts")
    def log(self, row: Webhook) -> SafeString:
        """The way to its attempts."""
        url = reverse("admin:registry_webhookattempt_changelist")
        return format_html('<a href="{}?webhook__id__exact={}">Attempts</a>', url, row.pk)


class AttemptAdmin(WebhookRecordAdmin):
    """Each request to a webhook, newest first, and how it was answered."""

    list_display = ["at", "webhook", "event", "status", "duration_ms", "error"]
    fields = ["webhook", "event", "at", "duration_ms", "status", "error", "answer"]
    readonly_fields = ["event"]
    list_select_related = ["webhook", "delivery__event"]
    ordering = ["-pk"]

    @admin.display(description="Event")
    def event(self, row: WebhookAttempt) -> str:
        return str(row.delivery.event)
