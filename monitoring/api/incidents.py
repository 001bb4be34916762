"""Incidents, to read and to resolve."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import incidents
from monitoring.api import answers
from monitoring.models import Incident
from registry import actors, clock, permissions, tokens
from registry.api import preconditions
from registry.api.describing import IF_NONE_MATCH, PAGE, WORDS, Parameter, describes
from registry.api.idempotency import idempotent
from registry.api.paging import check_query, page
from registry.errors import InvalidInput, NotFound
from registry.serializers import NothingSerializer

STATES = {"open": True, "resolved": False}
FILTERS = (
    Parameter("state", {"enum": list(STATES)}, "Only those that are open, or resolved."),
    Parameter("model_id", WORDS, "Only this version's."),
    *PAGE,
)


class IncidentsView(APIView):
    """Incidents, newest first."""

    scopes = {"GET": tokens.READ}

    @describes("List incidents", query=FILTERS, answers={200: answers.IncidentPage})
    def get(self, request: Request) -> Response:
        check_query(request, {parameter.name for parameter in FILTERS})
        rows = Incident.objects.select_related("version", "restored", "remark")
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
        body = incident_json(_find(pk))
        return preconditions.answer(request, body, preconditions.of_body(body))


class ResolveView(APIView):
    """POST closes an incident."""

    scopes = {"POST": tokens.ROLL_BACK}

    @describes(
        "Resolve an incident",
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
        found = _find(pk)
        permissions.check_reach(request, found.version.family, tokens.ROLL_BACK)
        etag = preconditions.of_body(incident_json(found))
        preconditions.check(request, etag, f"Incident {pk}")
        incidents.resolve(found, actor=actors.actor_of(request.user), now=clock.now())
        return Response(incident_json(_find(pk)))


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
        "restored_model_id": incident.restored.model_id if incident.restored else None,
        "transition_id": incident.transition_id,
        "opened_at": incident.opened_at,
        "resolved_at": incident.resolved_at,
        "resolved_by": incident.resolved_by or None,
    }


def _find(pk: int) -> Incident:
    rows = Incident.objects.select_related("version__family", "restored", "remark")
    found = rows.filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(f"There is no incident {pk}.")
    return found
