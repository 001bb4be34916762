"""Incidents: to read, and to deal with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from rest_framework import renderers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import incidents, post_mortem
from monitoring.api import answers
from monitoring.models import Incident
from monitoring.pages import chronicle
from monitoring.pages import incidents as pages
from monitoring.pages.history import Line
from registry import actors, characters, clock, permissions, tokens
from registry.api import preconditions
from registry.api.describing import IF_NONE_MATCH, MARKDOWN, PAGE, WORDS, Parameter, describes
from registry.api.idempotency import idempotent
from registry.api.paging import check_query, page
from registry.errors import InvalidInput
from registry.models import Event
from registry.serializers import NothingSerializer, StrictCharField, StrictSerializer

STATES = {"open": True, "resolved": False}
FILTERS = (
    Parameter("state", {"enum": list(STATES)}, "Only those that are open, or resolved."),
    Parameter("model_id", WORDS, "Only this version's."),
    *PAGE,
)


class CommentSerializer(StrictSerializer):
    """A comment: anything but nothing."""

    text = StrictCharField(multiline=True, max_length=incidents.LONGEST_TEXT)
    closer = {"text": {"pattern": characters.WORDS}}


class ResolutionSerializer(StrictSerializer):
    """What was wrong, or what was done."""

    note = StrictCharField(
        multiline=True,
        allow_blank=True,
        required=False,
        default="",
        max_length=incidents.LONGEST_TEXT,
    )


class IncidentsView(APIView):
    """Incidents, newest first."""

    scopes = {"GET": tokens.READ}

    @describes("List incidents", query=FILTERS, answers={200: answers.IncidentPage})
    def get(self, request: Request) -> Response:
        check_query(request, {parameter.name for parameter in FILTERS})
        rows = Incident.objects.select_related("version", "restored", "remark", "resolution")
        if state := request.query_params.get("state"):
            if state not in STATES:
                raise InvalidInput.of("state", "States are open and resolved.")
            rows = rows.filter(resolved_at__isnull=STATES[state])
        if model_id := request.query_params.get("model_id"):
            rows = rows.filter(version__model_id=model_id)
        found, following = page(request, rows)
        return Response({"incidents": [incident_json(row) for row in found], "next": following})


class IncidentView(APIView):
    """One incident."""

    scopes = {"GET": tokens.READ}

    @describes(
        "Read an incident",
        headers=[IF_NONE_MATCH],
        answers={200: answers.Incident, 304: None},
        etag=True,
    )
    def get(self, request: Request, pk: int) -> Response:
        body = incident_json(incidents.find(pk))
        return preconditions.answer(request, body, preconditions.of_body(body))


class IncidentChangeView(APIView):
    """What the writing views have in common."""

    scopes = {"POST": tokens.INCIDENTS}

    def reached(self, request: Request, pk: int) -> Incident:
        """The incident, which the caller's token and team reach."""
        found = incidents.find(pk)
        permissions.check_reach(request, found.version.family, tokens.INCIDENTS)
        return found

    def unchanged(self, request: Request, pk: int) -> Incident:
        """The same, as they read it."""
        found = self.reached(request, pk)
        etag = preconditions.of_body(incident_json(found))
        preconditions.check(request, etag, f"Incident {pk}")
        return found


class AcknowledgeView(IncidentChangeView):
    """POST says that the caller is at it."""

    @describes(
        "Acknowledge an incident",
        body=NothingSerializer,
        body_required=False,
        answers={200: answers.Incident},
        refuses=(409,),
        if_match=True,
    )
    @idempotent
    @transaction.atomic
    def post(self, request: Request, pk: int) -> Response:
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        found = self.unchanged(request, pk)
        incidents.acknowledge(found, actor=actors.actor_of(request.user), now=clock.now())
        return Response(incident_json(incidents.find(pk)))


class CommentsView(IncidentChangeView):
    """POST puts the caller's words on record."""

    @describes(
        "Comment on an incident",
        body=CommentSerializer,
        answers={201: answers.Comment},
        refuses=(409,),
    )
    @idempotent
    @transaction.atomic
    def post(self, request: Request, pk: int) -> Response:
        asked = CommentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = self.reached(request, pk)
        said = incidents.comment(
            found, asked.validated_data["text"], actor=actors.actor_of(request.user)
        )
        return Response(_comment_json(pk, said), status=201)


class ResolveView(IncidentChangeView):
    """POST closes an incident."""

    @describes(
        "Resolve an incident",
        body=ResolutionSerializer,
        body_required=False,
        answers={200: answers.Incident},
        refuses=(409,),
        if_match=True,
    )
    @idempotent
    @transaction.atomic
    def post(self, request: Request, pk: int) -> Response:
        asked = ResolutionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = self.unchanged(request, pk)
        incidents.resolve(
            found,
            actor=actors.actor_of(request.user),
            now=clock.now(),
            note=asked.validated_data["note"],
        )
        return Response(incident_json(incidents.find(pk)))


class MarkdownRenderer(renderers.JSONRenderer):
    """Lets a caller ask for Markdown alone; refusals are JSON all the same."""

    media_type = "text/markdown"
    format = "md"
    charset = None


class TimelineView(APIView):
    """What happened, from the ledger."""

    scopes = {"GET": tokens.READ}

    @describes("Read an incident's timeline", answers={200: answers.Timeline})
    def get(self, request: Request, pk: int) -> Response:
        told = chronicle.of(incidents.find(pk))
        entries = [_entry_json(line) for line in told.lines]
        return Response({"incident_id": pk, "entries": entries, "left_out": told.left_out})


class PostMortemView(APIView):
    """The incident written up."""

    scopes = {"GET": tokens.READ}
    renderer_classes = [*APIView.renderer_classes, MarkdownRenderer]

    @describes("Read an incident's post-mortem", answers={200: MARKDOWN})
    def get(self, request: Request, pk: int) -> HttpResponse:
        text = post_mortem.written(pages.story(pk), settings.ASSAY_BASE_URL)
        return HttpResponse(text, content_type="text/markdown; charset=utf-8")


def incident_json(incident: Incident) -> dict[str, Any]:
    """An incident as the API shows it."""
    reasons = [incident.remark.text] if incident.remark else incident.reasons
    return {
        "incident_id": incident.pk,
        "model_id": incident.version.model_id,
        "kind": incident.kind,
        "severity": incident.severity,
        "summary": incident.summary,
        "reasons": reasons,
        "breaches": incident.breaches,
        "last_breach_at": incident.last_breach_at,
        "former_incident_id": incident.former_id,
        "restored_model_id": incident.restored.model_id if incident.restored else None,
        "transition_id": incident.transition_id,
        "opened_at": incident.opened_at,
        "acknowledged_at": incident.acknowledged_at,
        "acknowledged_by": incident.acknowledged_by or None,
        "resolved_at": incident.resolved_at,
        "resolved_by": incident.resolved_by or None,
        "resolution": incident.resolution.text if incident.resolution else None,
    }


def _comment_json(pk: int, said: Event) -> dict[str, Any]:
    return {
        "incident_id": pk,
        "event_id": said.pk,
        "text": said.remark.text if said.remark else "",
        "by": said.actor,
        "at": said.timestamp,
    }


def _entry_json(line: Line) -> dict[str, Any]:
    from_stage, to_stage = line.move or (None, None)
    return {
        "at": line.at,
        "title": line.title,
        "event_type": line.event_type or None,
        "event_id": line.pk if line.event_type else None,
        "actor": line.actor,
        "from_stage": from_stage or None,
        "to_stage": to_stage,
        "words": line.words,
        "facts": dict(line.facts),
    }
