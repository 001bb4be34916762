"""RegisteredModel: the manifest of a registered model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.contrib.auth.models import User
from rest_framework import serializers

from registry import families, tokens
from registry.actors import actor_of
from registry.manifests import naming
from registry.manifests.kinds import Body, Kind, Of, Values, plain, same
from registry.models import ModelFamily, RiskTier
from registry.permissions import check_user_reach, check_user_scope
from registry.serializers import FamilyNameField, StrictCharField, StrictSerializer


class RegisteredModelSerializer(StrictSerializer):
    """What is declared about a registered model."""

    name = FamilyNameField()
    description = StrictCharField(
        multiline=True, max_length=20_000, required=False, allow_blank=True
    )
    owner = StrictCharField(max_length=200)
    team = StrictCharField(max_length=200)
    risk_tier = serializers.ChoiceField(choices=RiskTier.choices, required=False)


def _current(names: Sequence[str]) -> dict[str, Body]:
    return {family.name: _body(family) for family in ModelFamily.objects.filter(name__in=names)}


def _body(family: ModelFamily) -> Body:
    return Body(
        metadata={"name": family.name},
        spec={
            "description": family.description,
            "owner": family.owner,
            "team": family.team,
            "risk_tier": family.risk_tier,
        },
        status={
            "created_at": plain(family.created_at),
            "last_number": family.last_number,
            "generation": family.generation,
        },
    )


def _create(many: Sequence[Values], user: User) -> None:
    check_user_scope(user, tokens.MODELS_WRITE)
    for values in many:
        families.found(**values, actor=actor_of(user))


def _change(values: Values, changed: frozenset[str], user: User) -> None:
    check_user_scope(user, tokens.MODELS_WRITE)
    family = ModelFamily.objects.get(name=values["name"])
    check_user_reach(user, family, tokens.MODELS_WRITE)
    families.describe(family, values["description"], actor=actor_of(user))


REGISTERED_MODEL = Kind(
    name="RegisteredModel",
    of=Of.FAMILY,
    schema=Path(__file__).with_name("schemas") / "RegisteredModel.json",
    metadata=("name",),
    serializer=RegisteredModelSerializer,
    fixed={
        "owner": "The owner of a registered model is set when it is made.",
        "team": "The team of a registered model is set when it is made.",
        "risk_tier": "Have a reviewer change the tier in the console.",
    },
    file=lambda body: f"{naming.folder(body.metadata['name'])}/model.yaml",
    current=_current,
    create=_create,
    change=_change,
    agrees=same,
)
