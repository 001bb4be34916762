"""HTTP for governance: promote, amend, settle, ask for a review, generate a card."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance import amendments, carding, promotions, reviews
from governance.flags import FLAGS
from registry import entries, lifecycle, permissions, tokens
from registry.actors import actor_of
from registry.api import preconditions
from registry.api.answers import Entry
from registry.api.describing import describes
from registry.api.idempotency import idempotent
from registry.api.models import ModelDetailView
from registry.errors import InvalidInput
from registry.json_fields import ObjectField
from registry.models import DeploymentStage, ModelVersion
from registry.serializers import (
    NothingSerializer,
    StrictCharField,
    StrictDecimalField,
    StrictFloatField,
    StrictSerializer,
)
from registry.tagging import TagsField


class DeploymentSerializer(StrictSerializer):
    """Where a version should be."""

    status = StrictCharField()
    canary_percentage = StrictDecimalField(required=False, allow_null=True, default=None)
    reason = StrictCharField(
        multiline=True, max_length=5_000, required=False, allow_blank=True, default=""
    )

    closer = {
        "status": {"enum": DeploymentStage.values},
        "canary_percentage": {
            "anyOf": [
                {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "exclusiveMaximum": 100,
                    "multipleOf": 0.01,
                },
                {"type": "null"},
            ],
            "description": "Of live traffic; moves to canary only, 10 where none is given.",
        },
        "": {
            "anyOf": [
                {"properties": {"status": {"const": DeploymentStage.CANARY.value}}},
                {"properties": {"canary_percentage": {"type": "null"}}},
            ]
        },
    }

    def validate_status(self, status: str) -> DeploymentStage:
        if status not in DeploymentStage.values:
            stages = ", ".join(DeploymentStage.values)
            raise serializers.ValidationError(f"Stages are {stages}.", code="choice")
        return DeploymentStage(status)


class AmendmentSerializer(StrictSerializer):
    """What may be changed about a version after it was registered."""

    metadata = ObjectField(required=False)
    description = StrictCharField(
        multiline=True, max_length=20_000, required=False, allow_blank=True
    )
    tags = TagsField(required=False)
    expected_latency_p95_ms = StrictFloatField(minimum=0, required=False, allow_null=True)
    owner = StrictCharField(max_length=200, required=False)

    closer = {
        "": {"minProperties": 1},
        "metadata": {"properties": {flag: {"type": "boolean"} for flag in FLAGS.values()}},
    }

    def validate_metadata(self, metadata: dict[str, Any]) -> dict[str, Any]:
        for flag in FLAGS.values():
            if flag in metadata and not isinstance(metadata[flag], bool):
                raise serializers.ValidationError({flag: ["Give true or false."]}, code="type")
        return metadata


class ReviewRequestSerializer(StrictSerializer):
    """What reviewers should know beforehand."""

    note = StrictCharField(
        multiline=True, max_length=5_000, required=False, allow_blank=True, default=""
    )


class Deployment(TypedDict):
    """Where a version is now, and where it was."""

    model_id: str
    status: DeploymentStage
    previous_status: DeploymentStage
    canary_percentage: float | None
    transition_id: int
    warnings: list[str]


class Card(TypedDict):
    """A model card's latest revision."""

    model_id: str
    revision: int
    markdown: str
    json: dict[str, Any]
    html_url: str


class ReviewRequested(TypedDict):
    """When reviewers were asked."""

    model_id: str
    requested_at: datetime


class ModelView(ModelDetailView):
    """GET answers one entry; PATCH changes what is declared, or settles its checks."""

    # PATCH needs a scope for each kind of change; which, only the body says.
    scopes = {"GET": tokens.READ, "PATCH": tokens.READ}

    @describes(
        "Amend a model version, or settle its checks",
        body=AmendmentSerializer,
        answers={200: Entry},
        refuses=(409,),
        if_match=True,
        etag=True,
    )
    @transaction.atomic
    def patch(self, request: Request, model_id: str) -> Response:
        asked = AmendmentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        changes = asked.validated_data
        needed = _scopes_for(changes)
        for scope in needed:
            permissions.check_scope(request, scope)
        version = _locked(request, model_id, *needed)
        amendments.amend(version, changes, user=permissions.caller(request))
        version = entries.find(model_id)
        return Response(entries.entry(version), headers={"ETag": f'"{version.revision}"'})


MOVE: dict[str, Any] = {
    "body": DeploymentSerializer,
    "answers": {200: Deployment},
    "refuses": (409, 422),
    "if_match": True,
}


class DeploymentView(APIView):
    """PATCH, and POST the same, moves a version to another stage or canary share."""

    scopes = {"PATCH": tokens.DEPLOY, "POST": tokens.DEPLOY}

    @describes("Move a version to another stage or share", **MOVE)
    def patch(self, request: Request, model_id: str) -> Response:
        return self.move(request, model_id)

    @describes("Move a version, as PATCH does", **MOVE)
    @idempotent
    def post(self, request: Request, model_id: str) -> Response:
        return self.move(request, model_id)

    @transaction.atomic
    def move(self, request: Request, model_id: str) -> Response:
        """Move the version as the body asks."""
        asked = DeploymentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        to = asked.validated_data["status"]
        scope = tokens.ROLL_BACK if to == DeploymentStage.ROLLBACK else tokens.DEPLOY
        permissions.check_scope(request, scope)
        promotion = promotions.promote(
            _locked(request, model_id, scope),
            to=to,
            actor=actor_of(request.user),
            canary_percentage=asked.validated_data["canary_percentage"],
            reason=asked.validated_data["reason"],
        )
        points = promotion.transition.canary_basis_points
        return Response(
            {
                "model_id": model_id,
                "status": promotion.transition.to_stage,
                "previous_status": promotion.previous_status,
                "canary_percentage": None if points is None else points / 100,
                "transition_id": promotion.transition.pk,
                "warnings": list(promotion.warnings),
            }
        )


class CardView(APIView):
    """POST makes the model card of what is known now; the same facts make no new revision."""

    scopes = {"POST": tokens.DEPLOY}

    @describes(
        "Generate a version's model card",
        body=NothingSerializer,
        body_required=False,
        answers={201: Card},
        if_match=True,
    )
    @idempotent
    @transaction.atomic
    def post(self, request: Request, model_id: str) -> Response:
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        card = carding.generate(
            _locked(request, model_id, tokens.DEPLOY), actor=actor_of(request.user)
        )
        return Response(
            {
                "model_id": model_id,
                "revision": card.revision,
                "markdown": carding.markdown(card),
                "json": card.content,
                "html_url": carding.url_of(card),
            },
            status=201,
        )


class ReviewRequestView(APIView):
    """POST asks reviewers to look; whoever asks cannot review it any more."""

    scopes = {"POST": tokens.MODELS_WRITE}

    @describes(
        "Ask for a review",
        body=ReviewRequestSerializer,
        body_required=False,
        answers={201: ReviewRequested},
        refuses=(409,),
        if_match=True,
    )
    @idempotent
    @transaction.atomic
    def post(self, request: Request, model_id: str) -> Response:
        asked = ReviewRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        event = reviews.request_review(
            _locked(request, model_id, tokens.MODELS_WRITE),
            requester=permissions.caller(request),
            note=asked.validated_data["note"],
        )
        return Response({"model_id": model_id, "requested_at": event.timestamp}, status=201)


def _locked(request: Request, model_id: str, *scopes: str) -> ModelVersion:
    """The version, locked, if the caller reaches it and it is the revision they read."""
    version = lifecycle.lock(entries.find(model_id))
    for scope in scopes:
        permissions.check_reach(request, version.family, scope)
    preconditions.check(request, preconditions.of_revision(version.revision), model_id)
    return version


def _scopes_for(changes: dict[str, Any]) -> list[str]:
    """The scopes that such changes need: reviewers settle flags, its people declare the rest."""
    if not changes:
        raise InvalidInput.of("", "Send at least one field to change.")
    metadata = set(changes.get("metadata", {}))
    flags = metadata & set(FLAGS.values())
    declares = set(changes) != {"metadata"} or metadata != flags or not metadata
    return [tokens.REVIEW_SIGN] * bool(flags) + [tokens.MODELS_WRITE] * declares
