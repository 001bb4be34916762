"""Check the triggers, and roll back."""

from __future__ import annotations

from dataclasses import asdict

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import assessments, comparisons, rollbacks
from monitoring.api import answers
from monitoring.comparing import Comparison
from monitoring.models import LONGEST_WINDOW_MINUTES
from monitoring.triggers import Verdict
from registry import clock, entries, lifecycle, permissions, tokens
from registry.actors import actor_of
from registry.api import preconditions
from registry.api.describing import Parameter, describes
from registry.api.idempotency import idempotent
from registry.api.paging import check_query
from registry.errors import InvalidInput
from registry.models import DeploymentStage
from registry.serializers import StrictCharField, StrictSerializer

WINDOW = Parameter(
    "window_minutes",
    {"type": "integer", "minimum": 1, "maximum": LONGEST_WINDOW_MINUTES},
    "The window's length; the policy's where none is given.",
)


class RollbackCheckView(APIView):
    """What the triggers say of one version now. Changes nothing."""

    scopes = {"GET": tokens.READ}

    @describes("Check the triggers", query=[WINDOW], answers={200: answers.RollbackCheck})
    def get(self, request: Request, model_id: str) -> Response:
        check_query(request, {"window_minutes"})
        version, now, minutes = entries.find(model_id), clock.now(), _minutes(request)
        judged = assessments.look(version, now=now, window_minutes=minutes)
        beside = comparisons.of_window(version, now=now, window_minutes=minutes)
        found, other = judged.both
        return Response(
            {
                "model_id": version.model_id,
                "should_rollback": found.verdict is Verdict.ROLLBACK,
                "reasons": found.reasons,
                "verdict": found.verdict,
                "window_minutes": found.window_minutes,
                "requests": found.requests,
                "rule": found.rule,
                "triggers": [asdict(trigger) for trigger in found.triggers],
                "other_rule": {
                    "rule": other.rule,
                    "verdict": other.verdict,
                    "reasons": other.reasons,
                    "triggers": [asdict(trigger) for trigger in other.triggers],
                },
                "against_production": beside and comparison_json(beside),
            }
        )


def comparison_json(found: Comparison) -> answers.AgainstProduction:
    """A canary beside production, as the API shows it."""
    return {
        "requests": found.canary.requests,
        "error_rate": found.canary.rate,
        "production_requests": found.production.requests,
        "production_error_rate": found.production.rate,
        "evidence_nats": found.nats,
        "worse": found.is_worse,
    }


class RollbackSerializer(StrictSerializer):
    """Why, in a person's words."""

    reason = StrictCharField(
        multiline=True, max_length=2000, required=False, allow_blank=True, allow_null=True
    )


class RollbackView(APIView):
    """Take a version out of traffic now."""

    scopes = {"POST": tokens.ROLL_BACK}

    @describes(
        "Roll a version back",
        body=RollbackSerializer,
        body_required=False,
        answers={200: answers.RolledBack},
        refuses=(409,),
        if_match=True,
    )
    @idempotent
    @transaction.atomic
    def post(self, request: Request, model_id: str) -> Response:
        asked = RollbackSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        version = entries.find(model_id)
        permissions.check_reach(request, version.family, tokens.ROLL_BACK)
        if "If-Match" in request.headers:
            version = lifecycle.lock(version)
            preconditions.check(request, preconditions.of_revision(version.revision), model_id)
        done = rollbacks.roll_back(
            version,
            actor=actor_of(request.user),
            now=clock.now(),
            reason=(asked.validated_data.get("reason") or "").strip(),
        )
        return Response(
            {
                "model_id": version.model_id,
                "status": DeploymentStage.ROLLBACK,
                "reasons": done.reasons,
                "restored_model_id": done.restored.model_id if done.restored else None,
                "incident_id": done.incident.pk if done.incident else None,
                "transition_id": done.transition.pk,
            }
        )


def _minutes(request: Request) -> int | None:
    text = request.query_params.get("window_minutes")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:8]) <= LONGEST_WINDOW_MINUTES:
        raise InvalidInput.of(
            "window_minutes", f"Give a whole number of minutes from 1 to {LONGEST_WINDOW_MINUTES}."
        )
    return int(text)
