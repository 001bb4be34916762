"""Webhooks over HTTP: make, change and try them, and see what they were sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import actors, clock, tokens
from registry.api import answers, preconditions
from registry.api.describing import IF_NONE_MATCH, PAGE, describes
from registry.api.event_types import EventTypesField
from registry.api.idempotency import idempotent
from registry.api.paging import check_query, page
from registry.models import Delivery, Webhook, WebhookAttempt
from registry.serializers import (
    NothingSerializer,
    PatternField,
    StrictBooleanField,
    StrictCharField,
    StrictDateTimeField,
    StrictSerializer,
)
from registry.webhooks import endpoints

URL = "^https?://[!-~]+$"
LOGGED = 10  # attempts shown of each delivery


class UrlField(PatternField):
    """An address that a webhook can have."""

    def __init__(self, **kwargs: Any) -> None:
        sentence = "Give a URL such as https://example.com/hook, in ASCII: the host as xn--…."
        super().__init__(URL, sentence, max_length=2000, **kwargs)


class NewWebhookSerializer(StrictSerializer):
    """Where events are to be sent, and which."""

    url = UrlField()
    event_types = EventTypesField()
    description = StrictCharField(max_length=500, required=False, allow_blank=True, default="")


class WebhookChangesSerializer(StrictSerializer):
    """What may be changed about a webhook."""

    url = UrlField(required=False)
    event_types = EventTypesField(required=False)
    description = StrictCharField(max_length=500, required=False, allow_blank=True)
    enabled = StrictBooleanField(required=False)


class ReplaySerializer(StrictSerializer):
    """Which time is to be sent again."""

    since = StrictDateTimeField()
    until = StrictDateTimeField()


class WebhooksView(APIView):
    """GET lists webhooks; POST makes one and shows its secret."""

    scopes = {"GET": tokens.WEBHOOKS, "POST": tokens.WEBHOOKS}

    @describes("List webhooks", answers={200: answers.Webhooks})
    def get(self, request: Request) -> Response:
        check_query(request, set())
        return Response({"webhooks": _shown(list(Webhook.objects.all()))})

    @describes(
        "Make a webhook", body=NewWebhookSerializer, answers={201: answers.WebhookWithSecret}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        asked = NewWebhookSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        hook, secret = endpoints.create(actor=actors.actor_of(request.user), **asked.validated_data)
        return Response(_shown([hook])[0] | {"secret": secret}, status=201)


class WebhookView(APIView):
    """GET answers one webhook; PATCH changes it; DELETE forgets it."""

    scopes = dict.fromkeys(("GET", "PATCH", "DELETE"), tokens.WEBHOOKS)

    @describes(
        "Read a webhook",
        headers=[IF_NONE_MATCH],
        answers={200: answers.Webhook, 304: None},
        etag=True,
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        check_query(request, set())
        hook = endpoints.find(webhook_id)
        etag = preconditions.of_revision(hook.revision)
        return preconditions.answer(request, _shown([hook])[0], etag)

    @describes(
        "Change a webhook",
        body=WebhookChangesSerializer,
        answers={200: answers.Webhook},
        refuses=(422,),
        if_match=True,
        etag=True,
    )
    @transaction.atomic
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        asked = WebhookChangesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        hook = _locked(request, webhook_id)
        actor = actors.actor_of(request.user)
        hook = endpoints.change(hook, asked.validated_data, actor=actor)
        etag = preconditions.of_revision(hook.revision)
        return Response(_shown([hook])[0], headers={"ETag": etag})

    @describes("Remove a webhook", answers={204: None}, if_match=True)
    @transaction.atomic
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        hook = _locked(request, webhook_id)
        endpoints.remove(hook, actor=actors.actor_of(request.user))
        return Response(status=204)


class RotateView(APIView):
    """POST gives a webhook a new secret; the former one signs for a day more."""

    scopes = {"POST": tokens.WEBHOOKS}

    @describes(
        "Rotate a webhook's secret",
        body=NothingSerializer,
        body_required=False,
        answers={200: answers.WebhookWithSecret},
    )
    @idempotent
    def post(self, request: Request, webhook_id: UUID) -> Response:
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        hook, secret = endpoints.rotate(
            endpoints.find(webhook_id), actor=actors.actor_of(request.user), now=clock.now()
        )
        return Response(_shown([hook])[0] | {"secret": secret})


class TryView(APIView):
    """POST sends a webhook one message to try it with."""

    scopes = {"POST": tokens.WEBHOOKS}

    @describes(
        "Try a webhook",
        body=NothingSerializer,
        body_required=False,
        answers={202: answers.WebhookOwed},
        refuses=(409,),
    )
    @idempotent
    def post(self, request: Request, webhook_id: UUID) -> Response:
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        actor = actors.actor_of(request.user)
        return Response(_owed(endpoints.test(endpoints.find(webhook_id), actor=actor)), status=202)


class ReplayView(APIView):
    """POST owes a webhook the events of some time again."""

    scopes = {"POST": tokens.WEBHOOKS}

    @describes(
        "Replay events", body=ReplaySerializer, answers={202: answers.Replayed}, refuses=(409,)
    )
    @idempotent
    def post(self, request: Request, webhook_id: UUID) -> Response:
        asked = ReplaySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        hook = endpoints.find(webhook_id)
        count = endpoints.replay(hook, now=clock.now(), **asked.validated_data)
        return Response({"replayed": count}, status=202)


class WebhookDeliveriesView(APIView):
    """GET lists what a webhook was owed, newest first, with its log."""

    scopes = {"GET": tokens.WEBHOOKS}

    @describes(
        "List a webhook's deliveries",
        query=PAGE,
        answers={200: answers.WebhookDeliveries},
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        check_query(request, {"cursor", "limit"})
        hook = endpoints.find(webhook_id)
        log = Prefetch("attempts_made", WebhookAttempt.objects.order_by("-pk"))
        owed = Delivery.objects.filter(subscriber=endpoints.subscriber(hook))
        found, following = page(request, owed.select_related("event").prefetch_related(log))
        return Response({"deliveries": [_delivery(row) for row in found], "next": following})


class RetryView(APIView):
    """POST owes a webhook one event again."""

    scopes = {"POST": tokens.WEBHOOKS}

    @describes(
        "Send a delivery again",
        body=NothingSerializer,
        body_required=False,
        answers={202: answers.WebhookOwed},
        refuses=(409,),
    )
    @idempotent
    def post(self, request: Request, webhook_id: UUID, delivery_id: int) -> Response:
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        owed = endpoints.retry(endpoints.find(webhook_id), delivery_id, now=clock.now())
        return Response(_owed(owed), status=202)


def _locked(request: Request, webhook_id: UUID) -> Webhook:
    """The webhook, locked, if it is the revision the caller read."""
    hook = endpoints.lock(endpoints.find(webhook_id))
    preconditions.check(request, preconditions.of_revision(hook.revision), f"webhook {hook.pk}")
    return hook


def _shown(hooks: list[Webhook]) -> list[dict[str, Any]]:
    called = actors.names(hook.created_by for hook in hooks)
    return [
        {
            "webhook_id": str(hook.pk),
            "url": hook.url,
            "event_types": hook.event_types,
            "description": hook.description,
            "enabled": hook.disabled_at is None,
            "disabled_at": hook.disabled_at,
            "disabled_why": hook.disabled_why,
            "former_secret_until": hook.former_until,
            "created_by": called[hook.created_by],
            "created_at": hook.created_at,
            "revision": hook.revision,
        }
        for hook in hooks
    ]


def _owed(delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery_id": delivery.pk,
        "event_id": delivery.event_id,
        "state": delivery.state,
    }


def _delivery(row: Delivery) -> dict[str, Any]:
    return _owed(row) | {
        "event_type": row.event.event_type,
        "attempts": row.attempts,
        "due_at": row.due_at,
        "settled_at": row.settled_at,
        "last_error": row.last_error,
        "log": [
            {
                "at": attempt.at,
                "duration_ms": attempt.duration_ms,
                "status": attempt.status,
                "error": attempt.error,
                "answer": attempt.answer,
            }
            for attempt in list(row.attempts_made.all())[:LOGGED]
        ],
    }
