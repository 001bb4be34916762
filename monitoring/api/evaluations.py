"""Ask for evaluations and read them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.api import answers
from monitoring.evaluations import requests
from monitoring.models import Evaluation, EvaluationKind
from registry import actors, characters, entries, numbers, permissions, tokens
from registry.api import preconditions
from registry.api.describing import IF_NONE_MATCH, describes
from registry.api.idempotency import idempotent
from registry.errors import NotFound
from registry.models import DataSet
from registry.serializers import StrictBooleanField, StrictCharField, StrictSerializer


class ClassField(serializers.Field[str | int, Any, str | int, Any]):
    """A class of the data set, by name or by index."""

    def to_internal_value(self, data: Any) -> str | int:
        found = data if isinstance(data, str) else numbers.whole(data)
        if found is None:
            raise serializers.ValidationError("Give the name or index of a class.", code="type")
        return found

    def to_representation(self, value: str | int) -> str | int:
        return value

    def schema(self) -> dict[str, Any]:
        """What it takes, as JSON Schema."""
        return {"anyOf": [{"type": "string", "pattern": characters.NO_NUL}, {"type": "integer"}]}


class NewEvaluationSerializer(StrictSerializer):
    """What to measure on which data set."""

    dataset = StrictCharField(max_length=200)
    reference_dataset = StrictCharField(max_length=200, required=False, allow_null=True)
    protected_attributes = serializers.ListField(
        child=StrictCharField(max_length=200), required=False, max_length=20
    )
    favourable_label = ClassField(required=False, allow_null=True)
    gate = StrictBooleanField(default=False)


class EvaluationsView(APIView):
    """POST asks for one; GET lists those there are, newest first."""

    scopes = {"GET": tokens.READ, "POST": tokens.MODELS_WRITE}

    @describes(
        "Ask for an evaluation",
        body=NewEvaluationSerializer,
        answers={202: answers.Evaluation},
        refuses=(409,),
    )
    @idempotent
    def post(self, request: Request, model_id: str) -> Response:
        asked = NewEvaluationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        version = entries.find(model_id)
        permissions.check_reach(request, version.family, tokens.MODELS_WRITE)
        said: dict[str, Any] = asked.validated_data
        reference = said.get("reference_dataset")
        evaluation = requests.request(
            version,
            dataset=_data_set(said["dataset"]),
            reference_dataset=_data_set(reference) if reference else None,
            kind=EvaluationKind.GATE if said["gate"] else EvaluationKind.SCHEDULED,
            protected_attributes=said.get("protected_attributes", []),
            favourable_label=said.get("favourable_label"),
            actor=actors.actor_of(request.user),
        )
        return Response(evaluation_json(evaluation), status=202)

    @describes("List a version's evaluations", answers={200: answers.Evaluations})
    def get(self, request: Request, model_id: str) -> Response:
        rows = entries.find(model_id).evaluations.select_related("version", "dataset")
        return Response({"evaluations": [evaluation_json(row) for row in rows[:100]]})


class EvaluationView(APIView):
    """One evaluation: how far it is, and what came out."""

    scopes = {"GET": tokens.READ}

    @describes(
        "Read an evaluation",
        headers=[IF_NONE_MATCH],
        answers={200: answers.Evaluation, 304: None},
        etag=True,
    )
    def get(self, request: Request, model_id: str, evaluation_id: int) -> Response:
        rows = entries.find(model_id).evaluations.select_related("version", "dataset")
        found = rows.filter(pk=evaluation_id).first() if evaluation_id < 2**63 else None
        if found is None:
            raise NotFound(f"{model_id} has no evaluation {evaluation_id}.")
        body = evaluation_json(found)
        return preconditions.answer(request, body, preconditions.of_body(body))


class ProfileView(APIView):
    """The frozen reference profile that serving jobs measure drift against."""

    scopes = {"GET": tokens.READ}

    @describes(
        "Read a version's reference profile",
        headers=[IF_NONE_MATCH],
        answers={200: dict[str, Any], 304: None},
        etag=True,
    )
    def get(self, request: Request, model_id: str) -> Response:
        version = entries.find(model_id)
        latest = version.evaluations.filter(results__isnull=False).order_by("-finished_at").first()
        if latest is None or latest.results is None:
            raise NotFound(f"{version} has no finished evaluation; POST evaluations asks for one.")
        profile = latest.results["profile"]
        return preconditions.answer(request, profile, preconditions.of_body(profile))


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as the API shows it."""
    return {
        "evaluation_id": evaluation.pk,
        "model_id": evaluation.version.model_id,
        "kind": evaluation.kind,
        "state": evaluation.state,
        "progress": evaluation.progress,
        "device": evaluation.device or None,
        "error": evaluation.error or None,
        "dataset": evaluation.dataset.name,
        "dataset_sha256": evaluation.dataset_sha256,
        "artifact_sha256": evaluation.artifact_sha256,
        "protected_attributes": evaluation.protected_attributes,
        "requested_at": evaluation.requested_at,
        "started_at": evaluation.started_at,
        "finished_at": evaluation.finished_at,
        "results": evaluation.results,
        "evidence_digest": evaluation.evidence_digest or None,
    }


def _data_set(name: str) -> DataSet:
    found = DataSet.objects.select_related("artifact").filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no data set {name!r}; PUT datasets/{name} first.")
    return found
