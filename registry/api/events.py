"""Events of the users' own, over HTTP."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import actors, entries, permissions, tokens
from registry.api import answers
from registry.api.describing import describes
from registry.api.idempotency import idempotent
from registry.json_fields import ObjectField
from registry.ledger import bus, presentation
from registry.ledger.event_types import EVENT_TYPE
from registry.serializers import StrictCharField, StrictSerializer


class NewEventSerializer(StrictSerializer):
    """An event of the caller's own."""

    closer = {"event_type": {"pattern": EVENT_TYPE}}

    event_type = StrictCharField(max_length=100)
    payload = ObjectField(default=dict)


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
