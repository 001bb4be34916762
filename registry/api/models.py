"""List, detail, register, statistics, history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import entries, permissions, registration, statistics, tokens
from registry.api import answers
from registry.api.describing import PAGE, WORDS, Link, Parameter, describes
from registry.api.idempotency import idempotent
from registry.api.paging import check_query, page
from registry.characters import NO_NUL
from registry.errors import FieldError, InvalidInput, Unprocessable
from registry.json_fields import MetricsField, ObjectField
from registry.ledger import presentation
from registry.models import DeploymentStage, ModelFamily, ModelVersion, RiskTier
from registry.serializers import (
    FamilyNameField,
    PatternField,
    StrictCharField,
    StrictDateTimeField,
    StrictFloatField,
    StrictIntegerField,
    StrictSerializer,
)
from registry.tagging import TagsField

FILTERS = (
    Parameter("stage", {"enum": DeploymentStage.values}, "Only those in this stage."),
    Parameter("framework", WORDS, "Only those of this framework."),
    Parameter("team", WORDS, "Only this team's."),
    Parameter("owner", WORDS, "Only this owner's."),
    Parameter("tags", WORDS, "Only those with all of these tags, `key` or `key:value`, by commas."),
    Parameter("q", WORDS, "Only those whose texts have words that begin so."),
    *PAGE,
)
MODEL_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
SHA256 = r"^[0-9a-f]{64}$"
DERIVED = ("constitutional_compliance", "bias_check_passed")


class NewEntrySerializer(StrictSerializer):
    """The body of a registration: the seed's names."""

    model_id = PatternField(
        MODEL_ID,
        "Use letters, digits, '.', '_' and '-', beginning with a letter or digit.",
        max_length=200,
    )
    name = FamilyNameField()
    version = StrictCharField(max_length=64)
    framework = StrictCharField(max_length=64)
    model_type = StrictCharField(max_length=64)
    owner = StrictCharField(max_length=200)
    team = StrictCharField(max_length=200)
    description = StrictCharField(
        multiline=True, max_length=20_000, required=False, allow_blank=True
    )
    run_id = StrictCharField(max_length=200, required=False, allow_blank=True)
    artifact_path = StrictCharField(max_length=1000, required=False, allow_blank=True)
    artifact_sha256 = PatternField(
        SHA256, "Give 64 lower-case hex digits.", required=False, source="declared_sha256"
    )
    training_data_hash = StrictCharField(max_length=200, required=False, allow_blank=True)
    training_dataset_size = StrictIntegerField(required=False, allow_null=True)
    training_timestamp = StrictDateTimeField(required=False, allow_null=True)
    evaluation_metrics = MetricsField(required=False)
    expected_latency_p95_ms = StrictFloatField(minimum=0, required=False, allow_null=True)
    metadata = ObjectField(required=False)
    tags = TagsField(required=False)
    risk_tier = serializers.ChoiceField(choices=RiskTier.choices, required=False)
    deploy_status = StrictCharField(required=False)

    closer = {
        "deploy_status": {"enum": [DeploymentStage.DEVELOPMENT.value]},
        "metadata": {"propertyNames": {"pattern": NO_NUL, "not": {"enum": list(DERIVED)}}},
    }

    def get_fields(self) -> dict[str, Any]:
        # Every field has an attribute `source` of its own, so this one cannot be declared as one.
        source = StrictCharField(max_length=500, required=False, allow_blank=True)
        return super().get_fields() | {"source": source}

    def validate_deploy_status(self, stage: str) -> str:
        if stage != DeploymentStage.DEVELOPMENT:
            raise Unprocessable.of(
                "deploy_status", "Models start in development; promote them from there."
            )
        return stage

    def validate_metadata(self, metadata: dict[str, Any]) -> dict[str, Any]:
        for key in DERIVED:
            if key in metadata:
                raise Unprocessable(
                    [FieldError(f"/metadata/{key}", "derived", "Reviewers settle this check.")]
                )
        return metadata

    def entry(self) -> registration.Entry:
        """What was declared, once it is valid."""
        declared = dict(self.validated_data)
        declared.pop("deploy_status", None)
        if tier := declared.pop("risk_tier", None):
            declared["risk_tier"] = RiskTier(tier)
        return registration.Entry(**declared)


OF_IT = {"model_id": "$response.body#/model_id"}
NEXT = [
    Link(operation, OF_IT)
    for operation in (
        "getModelDetail",
        "patchModel",
        "patchDeployment",
        "postPerformance",
        "getRollbackCheck",
        "postRollback",
        "postCard",
        "getHistory",
    )
]


class ModelsView(APIView):
    """GET lists entries, newest first; POST registers one."""

    scopes = {"GET": tokens.READ, "POST": tokens.MODELS_WRITE}

    @describes("List model versions", query=FILTERS, answers={200: answers.EntryPage})
    def get(self, request: Request) -> Response:
        check_query(request, {parameter.name for parameter in FILTERS})
        asked = request.query_params
        rows = ModelVersion.objects.select_related("family", "artifact").prefetch_related(
            "tags", "aliases"
        )
        _check_stage(asked)
        for name in ("stage", "framework", "team", "owner"):
            if name in asked:
                rows = rows.filter(**{name: asked[name]})
        if "tags" in asked:
            rows = rows.with_tags([tag for tag in asked["tags"].split(",") if tag])
        if "q" in asked:
            rows = rows.matching(asked["q"])
        found, following = page(request, rows)
        return Response({"models": entries.entries(found), "next": following})

    @describes(
        "Register a model version",
        body=NewEntrySerializer,
        answers={201: answers.Entry},
        refuses=(409,),
        links=NEXT,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        asked = NewEntrySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        entry = asked.entry()
        family = ModelFamily.objects.filter(name=entry.name).first()
        permissions.check_reach(request, family, tokens.MODELS_WRITE, team=entry.team)
        version = registration.register(entry, registrant=permissions.caller(request))
        return Response(entries.entry(version), status=201)


class ModelDetailView(APIView):
    """GET answers one entry. Governance adds PATCH."""

    scopes = {"GET": tokens.READ}

    @describes("Read a model version", answers={200: answers.Entry}, etag=True)
    def get(self, request: Request, model_id: str) -> Response:
        version = entries.find(model_id)
        return Response(entries.entry(version), headers={"ETag": f'"{version.revision}"'})


class HistoryView(APIView):
    """Every event of one version, newest first."""

    scopes = {"GET": tokens.READ}

    @describes("Read a version's history", query=PAGE, answers={200: answers.EventPage})
    def get(self, request: Request, model_id: str) -> Response:
        check_query(request, {"cursor", "limit"})
        rows = entries.find(model_id).events.select_related("remark")
        found, following = page(request, rows)
        return Response({"events": presentation.events_json(found), "next": following})


class StatsView(APIView):
    """Counts over the whole registry."""

    scopes = {"GET": tokens.READ}

    @describes("Count what there is", answers={200: answers.Statistics})
    def get(self, request: Request) -> Response:
        return Response(statistics.summary())


def _check_stage(asked: Mapping[str, str]) -> None:
    if asked.get("stage", DeploymentStage.DEVELOPMENT) not in DeploymentStage.values:
        raise InvalidInput.of("stage", f"Stages are {', '.join(DeploymentStage.values)}.")
