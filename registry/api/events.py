"""The event bus over HTTP: subscriptions, leases, and events of the users' own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import actors, entries, permissions, tokens
from registry.api import answers
from registry.api.describing import describes
from registry.api.idempotency import idempotent
from registry.errors import InvalidInput
from registry.ledger import bus, deliveries, presentation
from registry.serializers import (
    ObjectField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)


class SubscriptionSerializer(StrictSerializer):
    """Which events to owe, and where they are to be handled."""

    event_types = serializers.ListField(
        child=StrictCharField(max_length=100), allow_empty=False, max_length=50
    )
    handler = StrictCharField(max_length=300, required=False, allow_blank=True, default="")


class LeaseSerializer(StrictSerializer):
    """How many events to lend."""

    limit = StrictIntegerField(minimum=1, maximum=100, default=10)


class SettleSerializer(StrictSerializer):
    """How a lent delivery went; without an error, well."""

    delivery_id = StrictIntegerField()
    token = serializers.UUIDField()
    error = StrictCharField(multiline=True, max_length=2000, required=False, allow_null=True)


class NewEventSerializer(StrictSerializer):
    """An event of the caller's own."""

    closer = {"event_type": {"pattern": bus.EVENT_TYPE}}

    event_type = StrictCharField(max_length=100)
    payload = ObjectField(default=dict)


class SubscriptionView(APIView):
    """PUT asks for events of some types from now on."""

    scopes = {"PUT": tokens.EVENTS}

    @describes(
        "Subscribe to events", body=SubscriptionSerializer, answers={200: answers.Subscribed}
    )
    def put(self, request: Request, name: str) -> Response:
        asked = SubscriptionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        _check_handler(asked.validated_data["handler"])
        subscription = bus.subscribe(
            name, actor=actors.actor_of(request.user), **asked.validated_data
        )
        return Response({"name": subscription.name, "event_types": subscription.event_types})


class LeaseView(APIView):
    """POST lends owed events for a minute."""

    scopes = {"POST": tokens.EVENTS}

    @describes(
        "Lease owed events",
        body=LeaseSerializer,
        body_required=False,
        answers={200: answers.Lease},
    )
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        asked = LeaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        lent = deliveries.lease(name, now=timezone.now(), limit=asked.validated_data["limit"])
        events = presentation.events_json(delivery.event for delivery in lent)
        return Response(
            {
                "deliveries": [
                    {"delivery_id": delivery.pk, "token": str(delivery.lease), "event": event}
                    for delivery, event in zip(lent, events, strict=True)
                ]
            }
        )


class SettleView(APIView):
    """POST says how a lent delivery went."""

    scopes = {"POST": tokens.EVENTS}

    @describes(
        "Settle a delivery",
        body=SettleSerializer,
        answers={200: answers.Settled},
        refuses=(409,),
    )
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        asked = SettleSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        deliveries.settle(
            said["delivery_id"], said["token"], now=timezone.now(), error=said.get("error")
        )
        return Response({"delivery_id": said["delivery_id"]})


class EventsView(APIView):
    """POST publishes an event of the caller's own."""

    scopes = {"POST": tokens.EVENTS}

    @describes(
        "Publish an event",
        body=NewEventSerializer,
        answers={201: answers.Event},
        refuses=(404, 409),
    )
    @idempotent
    def post(self, request: Request) -> Response:
        asked = NewEventSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        payload = asked.validated_data["payload"]
        subject = entries.find(payload["model_id"]) if "model_id" in payload else None
        if subject is not None:
            permissions.check_reach(request, subject.family, tokens.EVENTS)
        event = bus.publish(
            asked.validated_data["event_type"],
            payload,
            subject=subject,
            actor=actors.actor_of(request.user),
        )
        return Response(presentation.events_json([event])[0], status=201)


def _check_handler(path: str) -> None:
    module = path.rpartition(".")[0]
    if path and module not in settings.ASSAY_HANDLER_MODULES:
        raise InvalidInput.of(
            "handler",
            f"List {module or path!r} in ASSAY_HANDLER_MODULES, of the workers too, or subscribe "
            "without a handler and fetch the events.",
        )
