"""The event bus over HTTP: subscriptions, and the events they are lent."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import actors, clock, permissions, tokens
from registry.api import subscription_answers as answers
from registry.api.describing import describes
from registry.api.event_types import EventTypesField
from registry.api.idempotency import idempotent
from registry.api.paging import check_query
from registry.errors import Unprocessable
from registry.ledger import leases, presentation, subscriptions
from registry.models import Subscription
from registry.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
)


class SubscriptionSerializer(StrictSerializer):
    """Which events to owe, beside those before or in their place; and where they are handled."""

    event_types = EventTypesField()
    handler = StrictCharField(max_length=300, required=False, allow_blank=True, default="")
    keep = StrictBooleanField(required=False, default=False)


class LeaseSerializer(StrictSerializer):
    """How many events to lend."""

    limit = StrictIntegerField(minimum=1, maximum=100, default=10)


class HeldSerializer(StrictSerializer):
    """A lent delivery, by the token it was lent under."""

    delivery_id = StrictIntegerField()
    token = StrictUUIDField()


class RenewSerializer(StrictSerializer):
    """The lent deliveries that are still being handled."""

    deliveries = serializers.ListField(child=HeldSerializer(), allow_empty=False, max_length=100)


class SettleSerializer(HeldSerializer):
    """How a lent delivery went; without an error, well."""

    error = StrictCharField(multiline=True, max_length=2000, required=False, allow_null=True)


class SubscriptionsView(APIView):
    """GET lists who is owed what."""

    scopes = {"GET": tokens.EVENTS}

    @describes("List subscriptions", answers={200: answers.Subscriptions})
    def get(self, request: Request) -> Response:
        check_query(request, set())
        return Response({"subscriptions": _shown(list(Subscription.objects.all()))})


class SubscriptionView(APIView):
    """PUT asks for events of some types from now on; DELETE for none any more."""

    scopes = dict.fromkeys(("GET", "PUT", "DELETE"), tokens.EVENTS)
    path_schemas = {
        "name": {
            "type": "string",
            "pattern": subscriptions.NAME,
            "maxLength": subscriptions.LONGEST_NAME,
        }
    }

    @describes("Read a subscription", answers={200: answers.SubscriptionStanding})
    def get(self, request: Request, name: str) -> Response:
        check_query(request, set())
        found = _own(request, name)
        standing = subscriptions.standing(found)
        parked = [
            {
                "delivery_id": delivery.pk,
                "event_id": delivery.event_id,
                "event_type": delivery.event.event_type,
                "last_error": delivery.last_error,
            }
            for delivery in standing.last_parked
        ]
        behind = {
            "owed": standing.owed,
            "oldest_owed_at": standing.oldest_owed_at,
            "parked": standing.parked,
            "last_parked": parked,
        }
        return Response(_shown([found])[0] | behind)

    @describes(
        "Subscribe to events",
        body=SubscriptionSerializer,
        answers={200: answers.Subscription},
        refuses=(422,),
    )
    def put(self, request: Request, name: str) -> Response:
        asked = SubscriptionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        _check_handler(asked.validated_data["handler"])
        subscription = subscriptions.subscribe(
            name,
            actor=actors.actor_of(request.user),
            guard=lambda found: _check_own(request, found),
            **asked.validated_data,
        )
        return Response(_shown([subscription])[0])

    @describes("Unsubscribe", answers={204: None})
    def delete(self, request: Request, name: str) -> Response:
        subscriptions.remove(_own(request, name), actor=actors.actor_of(request.user))
        return Response(status=204)


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
        lent = leases.lease(
            _own(request, name), now=clock.now(), limit=asked.validated_data["limit"]
        )
        events = presentation.events_json(delivery.event for delivery in lent)
        return Response(
            {
                "deliveries": [
                    {"delivery_id": delivery.pk, "token": str(delivery.lease), "event": event}
                    for delivery, event in zip(lent, events, strict=True)
                ]
            }
        )


class RenewView(APIView):
    """POST lends deliveries that are still being handled for a minute more."""

    scopes = {"POST": tokens.EVENTS}

    @describes("Renew leases", body=RenewSerializer, answers={200: answers.Renewed})
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        asked = RenewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        held = {row["delivery_id"]: row["token"] for row in asked.validated_data["deliveries"]}
        renewed = leases.renew(_own(request, name), held, now=clock.now())
        return Response({"delivery_ids": renewed})


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
        leases.settle(
            _own(request, name),
            said["delivery_id"],
            said["token"],
            now=clock.now(),
            error=said.get("error"),
        )
        return Response({"delivery_id": said["delivery_id"]})


def _own(request: Request, name: str) -> Subscription:
    """The subscription, if the caller may act for it."""
    found = subscriptions.find(name)
    _check_own(request, found)
    return found


def _check_own(request: Request, found: Subscription) -> None:
    permissions.check_owner(request, found.created_by, f"The subscription {found}")


def _shown(found: list[Subscription]) -> list[dict[str, Any]]:
    called = actors.names(subscription.created_by for subscription in found)
    return [
        {
            "name": subscription.name,
            "event_types": subscription.event_types,
            "handler": subscription.handler,
            "created_by": called[subscription.created_by],
            "created_at": subscription.created_at,
        }
        for subscription in found
    ]


def _check_handler(path: str) -> None:
    module = path.rpartition(".")[0]
    if path and module not in settings.ASSAY_HANDLER_MODULES:
        raise Unprocessable.of(
            "handler",
            f"List {module or path!r} in ASSAY_HANDLER_MODULES, of the workers too, or subscribe "
            "without a handler and fetch the events.",
        )
