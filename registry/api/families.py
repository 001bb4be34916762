"""Registered models, their aliases, and their traffic documents."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import actors, aliases, entries, families, permissions, published, routing, tokens
from registry.api import answers, preconditions
from registry.api.describing import IF_NONE_MATCH, PAGE, WORDS, Parameter, describes
from registry.api.paging import check_query, page
from registry.errors import FieldError, InvalidInput, Unprocessable
from registry.models import Alias, ModelFamily
from registry.serializers import StrictCharField, StrictSerializer

FILTERS = (
    Parameter("team", WORDS, "Only this team's."),
    *PAGE,
)
ONLY_NEW = Parameter(
    "If-None-Match",
    {"type": "string"},
    "`*`: refuse with 412 where there is such an alias already.",
    place="header",
)
FIXED = {
    "name": "The name is the model's address; register a model under the new one.",
    "risk_tier": "Have a reviewer change the tier in the console.",
}


class FamilySerializer(StrictSerializer):
    """What may be changed about a registered model."""

    description = StrictCharField(
        multiline=True, max_length=20_000, required=False, allow_blank=True
    )
    owner = StrictCharField(max_length=200, required=False)
    team = StrictCharField(max_length=200, required=False)

    closer = {"": {"minProperties": 1}}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        fixed = [name for name in FIXED if isinstance(data, dict) and name in data]
        if fixed:
            raise Unprocessable([FieldError(f"/{name}", "fixed", FIXED[name]) for name in fixed])
        return super().to_internal_value(data)


class AliasSerializer(StrictSerializer):
    """Which version a name means."""

    model_id = StrictCharField(max_length=200)


class FamiliesView(APIView):
    """GET lists the registered models, newest first."""

    scopes = {"GET": tokens.READ}

    @describes("List the registered models", query=FILTERS, answers={200: answers.FamilyPage})
    def get(self, request: Request) -> Response:
        check_query(request, {parameter.name for parameter in FILTERS})
        rows = ModelFamily.objects.prefetch_related("aliases__version")
        if team := request.query_params.get("team"):
            rows = rows.filter(team=team)
        found, following = page(request, rows)
        return Response({"families": [family_json(row) for row in found], "next": following})


class FamilyView(APIView):
    """GET answers one registered model; PATCH changes what is declared about it."""

    scopes = {"GET": tokens.READ, "PATCH": tokens.MODELS_WRITE}

    @describes(
        "Read a registered model",
        headers=[IF_NONE_MATCH],
        answers={200: answers.Family, 304: None},
        etag=True,
    )
    def get(self, request: Request, name: str) -> Response:
        family = families.find(name)
        etag = preconditions.of_revision(family.revision)
        return preconditions.answer(request, family_json(family), etag)

    @describes(
        "Amend a registered model",
        body=FamilySerializer,
        answers={200: answers.Family},
        refuses=(422,),
        if_match=True,
        etag=True,
    )
    @transaction.atomic
    def patch(self, request: Request, name: str) -> Response:
        asked = FamilySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if not asked.validated_data:
            raise InvalidInput.of("", "Send at least one field to change.")
        family = families.lock(families.find(name))
        permissions.check_reach(
            request, family, tokens.MODELS_WRITE, team=asked.validated_data.get("team", "")
        )
        preconditions.check(request, preconditions.of_revision(family.revision), name)
        actor = actors.actor_of(request.user)
        family = families.amend(family, asked.validated_data, actor=actor)
        etag = preconditions.of_revision(family.revision)
        return Response(family_json(family), headers={"ETag": etag})


class AliasView(APIView):
    """GET says which version an alias means; PUT sets or moves it; DELETE removes it."""

    scopes = {"GET": tokens.READ, "PUT": tokens.MODELS_WRITE, "DELETE": tokens.MODELS_WRITE}
    path_schemas = {
        "alias": {
            "type": "string",
            "pattern": f"^{aliases.NAME.pattern}$",
            "not": {"pattern": aliases.NO_NAME},
        }
    }

    @describes(
        "Read which version an alias means",
        headers=[IF_NONE_MATCH],
        answers={200: answers.Alias, 304: None},
        etag=True,
    )
    def get(self, request: Request, name: str, alias: str) -> Response:
        found = aliases.find(families.find(name), alias)
        return preconditions.answer(request, alias_json(found), _tag(found))

    @describes(
        "Set or move an alias",
        body=AliasSerializer,
        headers=[ONLY_NEW],
        answers={200: answers.Alias, 201: answers.Alias},
        refuses=(422,),
        if_match=True,
        etag=True,
    )
    @transaction.atomic
    def put(self, request: Request, name: str, alias: str) -> Response:
        asked = AliasSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        family = self._locked(request, name)
        former = Alias.objects.filter(family=family, name=alias).first()
        preconditions.check(request, _tag(former) if former else None, f"{name}@{alias}")
        moved = aliases.put(
            family,
            alias,
            entries.find(asked.validated_data["model_id"]),
            actor=actors.actor_of(request.user),
        )
        status = 200 if former else 201
        return Response(alias_json(moved), status=status, headers={"ETag": _tag(moved)})

    @describes("Remove an alias", answers={204: None}, if_match=True)
    @transaction.atomic
    def delete(self, request: Request, name: str, alias: str) -> Response:
        found = aliases.find(self._locked(request, name), alias)
        preconditions.check(request, _tag(found), f"{name}@{alias}")
        aliases.remove(found, actor=actors.actor_of(request.user))
        return Response(status=204)

    def _locked(self, request: Request, name: str) -> ModelFamily:
        family = families.lock(families.find(name))
        permissions.check_reach(request, family, tokens.MODELS_WRITE)
        return family


class TrafficView(APIView):
    """The traffic document of one family; 304 while it has not changed."""

    scopes = {"GET": tokens.READ}
    polled = True  # each second by each serving process: answered by the broker, not the database

    @describes(
        "Read a family's traffic document",
        headers=[IF_NONE_MATCH],
        answers={200: answers.Traffic, 304: None},
        etag=True,
    )
    def get(self, request: Request, name: str) -> Response | HttpResponse:
        found = published.read(name)
        if found is None or preconditions.knows_newer(request, found.plan, found.revision):
            found = routing.read(name)
        return preconditions.answer_bytes(request, found.body, found.etag)


def family_json(family: ModelFamily) -> dict[str, Any]:
    """A registered model as the API shows it; whatever changes it grows its revision."""
    return {
        "name": family.name,
        "description": family.description,
        "owner": family.owner,
        "team": family.team,
        "risk_tier": family.risk_tier,
        "aliases": {alias.name: alias.version.model_id for alias in family.aliases.all()},
        "created_at": family.created_at,
        "revision": family.revision,
    }


def alias_json(alias: Alias) -> dict[str, Any]:
    """An alias as the API shows it."""
    return {
        "family": alias.family.name,
        "alias": alias.name,
        "model_id": alias.version.model_id,
        "version": alias.version.version,
        "set_at": alias.set_at,
        "set_by": actors.name(alias.set_by),
        "revision": alias.revision,
    }


def _tag(alias: Alias) -> str:
    return preconditions.of_revision(alias.revision)
