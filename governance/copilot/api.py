"""HTTP for the Co-Pilot: ask, confirm, and the inbox."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.copilot import askers, conversation, words
from governance.copilot.replies import Kind
from governance.copilot.replies import Reply as Said
from monitoring import notices
from registry import clock, permissions, tokens
from registry.api.describing import PAGE, describes
from registry.api.idempotency import idempotent
from registry.api.paging import check_query, page
from registry.serializers import StrictCharField, StrictIntegerField, StrictSerializer


class AskSerializer(StrictSerializer):
    """What somebody says."""

    ask = StrictCharField(multiline=True, max_length=words.LONGEST)


class ConfirmSerializer(StrictSerializer):
    """A plan's confirmation, as it was given with the plan."""

    confirmation = StrictCharField(max_length=8_000)


class UpToSerializer(StrictSerializer):
    """The newest notice that was seen."""

    up_to = StrictIntegerField(minimum=0)


class ReplyRecord(TypedDict):
    """Something on record that a reply rests on."""

    label: str
    url: str


class ReplyCall(TypedDict):
    """The API call that a reply stands for."""

    method: str
    path: str
    body: dict[str, Any] | None


class Reply(TypedDict):
    """What the Co-Pilot replies; a plan with a confirmation waits for it."""

    kind: Kind
    says: list[str]
    call: ReplyCall | None
    blockers: list[str]
    records: list[ReplyRecord]
    table: list[list[str]]
    choices: list[str]
    confirmation: str | None
    exact: bool


class InboxNotice(TypedDict):
    """One event that the caller should know of."""

    notice_id: int
    event_id: int
    model_id: str
    incident_id: int
    severity: str
    summary: str
    reasons: list[str]
    sent_at: datetime
    read_at: datetime | None


class Inbox(TypedDict):
    """A page of the caller's notices, newest first."""

    unread: int
    notices: list[InboxNotice]
    next: str | None


class NoticesRead(TypedDict):
    """How many notices were marked."""

    read: int


class AskView(APIView):
    """POST answers a question, or a command with its plan. Nothing changes."""

    scopes = {"POST": tokens.READ}

    @describes("Ask the Co-Pilot", body=AskSerializer, answers={200: Reply})
    @idempotent
    def post(self, request: Request) -> Response:
        asked = AskSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = conversation.ask(
            asked.validated_data["ask"], askers.by_request(request), now=clock.now()
        )
        return Response(_json(said))


class ConfirmView(APIView):
    """POST carries a plan out, if the caller may and the model is still as the plan has it."""

    scopes = {"POST": tokens.READ}  # what the plan itself needs is checked where it is made

    @describes(
        "Confirm a plan",
        body=ConfirmSerializer,
        answers={200: Reply},
        refuses=(404, 409, 412, 422),
    )
    @idempotent
    @transaction.atomic
    def post(self, request: Request) -> Response:
        asked = ConfirmSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = conversation.confirm(
            asked.validated_data["confirmation"], askers.by_request(request), now=clock.now()
        )
        return Response(_json(said))


class InboxView(APIView):
    """The caller's own notices, newest first."""

    scopes = {"GET": tokens.READ}

    @describes("Read the inbox", query=PAGE, answers={200: Inbox})
    def get(self, request: Request) -> Response:
        check_query(request, {parameter.name for parameter in PAGE})
        user = permissions.caller(request)
        found, following = page(request, notices.of(user))
        return Response(
            {
                "unread": notices.unread_count(user),
                "notices": [_notice(notices.told(notice)) for notice in found],
                "next": following,
            }
        )


class InboxReadView(APIView):
    """POST marks the caller's notices as read, up to the newest that was seen."""

    scopes = {"POST": tokens.READ}

    @describes("Mark notices as read", body=UpToSerializer, answers={200: NoticesRead})
    @idempotent
    def post(self, request: Request) -> Response:
        asked = UpToSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        read = notices.mark_read(
            permissions.caller(request), up_to=asked.validated_data["up_to"], now=clock.now()
        )
        return Response({"read": read})


def _json(said: Said) -> dict[str, Any]:
    return asdict(said) | {"confirmation": said.confirmation or None}


def _notice(told: notices.Told) -> dict[str, Any]:
    fields = asdict(told)
    return {"notice_id": fields.pop("pk"), **fields}
