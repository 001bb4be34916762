"""HTTP for progressions: start one, read it, steer it."""

from __future__ import annotations

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.models import Progression
from governance.progressions import answers, steering, steps
from governance.progressions.answers import (
    CanaryProgression,
    ProgressionSerializer,
    SteeringSerializer,
)
from registry import clock, entries, permissions, tokens
from registry.actors import actor_of
from registry.api import preconditions
from registry.api.describing import IF_NONE_MATCH, describes
from registry.api.idempotency import idempotent
from registry.errors import NotFound
from registry.models import ModelVersion


class ProgressionView(APIView):
    """A version's latest progression: POST starts one, PATCH pauses, resumes, advances or aborts it."""

    scopes = {"GET": tokens.READ, "POST": tokens.DEPLOY, "PATCH": tokens.DEPLOY}

    @describes(
        "Read a canary's progression",
        headers=[IF_NONE_MATCH],
        answers={200: CanaryProgression, 304: None},
        etag=True,
    )
    def get(self, request: Request, model_id: str) -> Response:
        progression = _latest(entries.find(model_id))
        return preconditions.answer(request, answers.shown(progression), _tag(progression))

    @describes(
        "Let a canary progress by itself",
        body=ProgressionSerializer,
        body_required=False,
        answers={201: CanaryProgression},
        refuses=(409, 422),
        etag=True,
    )
    @idempotent
    @transaction.atomic
    def post(self, request: Request, model_id: str) -> Response:
        asked = ProgressionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        version = _reached(request, model_id)
        rows = asked.validated_data.get("steps")
        progression = steering.start(
            version,
            asked=steps.DEFAULT if rows is None else steps.read(rows),
            actor=actor_of(request.user),
            now=clock.now(),
            note=asked.validated_data["note"],
        )
        return _answer(progression, 201)

    @describes(
        "Pause, resume, advance or abort a progression",
        body=SteeringSerializer,
        answers={200: CanaryProgression},
        refuses=(409, 422),
        if_match=True,
        etag=True,
    )
    @transaction.atomic
    def patch(self, request: Request, model_id: str) -> Response:
        asked = SteeringSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        version = _reached(request, model_id)
        if "If-Match" in request.headers:
            tag = _tag(_latest(version, locked=True))
            preconditions.check(request, tag, f"The progression of {model_id}")
        progression = steering.steer(
            version,
            asked.validated_data["action"],
            actor=actor_of(request.user),
            now=clock.now(),
            note=asked.validated_data["note"],
        )
        return _answer(progression, 200)


def _reached(request: Request, model_id: str) -> ModelVersion:
    version = entries.find(model_id)
    permissions.check_reach(request, version.family, tokens.DEPLOY)
    return version


def _latest(version: ModelVersion, *, locked: bool = False) -> Progression:
    rows = version.progressions.select_for_update() if locked else version.progressions.all()
    found = rows.order_by("-pk").first()
    if found is None:
        raise NotFound(f"{version} has never progressed by itself.")
    return found


def _answer(progression: Progression, status: int) -> Response:
    return Response(answers.shown(progression), status=status, headers={"ETag": _tag(progression)})


def _tag(progression: Progression) -> str:
    return preconditions.of_revision(progression.revision)
