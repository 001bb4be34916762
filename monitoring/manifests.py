"""RollbackPolicy: the manifest of a registered model's rollback policy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.module_loading import import_string
from rest_framework import serializers

from monitoring.models import (
    LONGEST_WINDOW_MINUTES,
    ModeOnBreach,
    RollbackPolicy,
    RuleInForce,
    WithoutPredecessor,
)
from registry.errors import NotFound
from registry.manifests import naming
from registry.manifests.kinds import Body, Kind, Of, Values, same
from registry.models import ModelFamily
from registry.serializers import (
    FamilyNameField,
    StrictBooleanField,
    StrictFloatField,
    StrictIntegerField,
    StrictSerializer,
)

LARGEST = 2**31 - 1


class ShareField(StrictFloatField):
    """A number over 0 and under 1."""

    def to_internal_value(self, data: Any) -> float:
        share = super().to_internal_value(data)
        if not 0 < share < 1:
            raise serializers.ValidationError("Give a number over 0 and under 1.", code="range")
        return share

    def schema(self) -> dict[str, Any]:
        """What it takes, as JSON Schema."""
        return {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}


def _whole(minimum: int, **kwargs: Any) -> StrictIntegerField:
    return StrictIntegerField(minimum=minimum, maximum=LARGEST, required=False, **kwargs)


class RollbackPolicySerializer(StrictSerializer):
    """The thresholds and manners of one registered model's rollback."""

    name = FamilyNameField()
    rule = serializers.ChoiceField(choices=RuleInForce.choices, required=False)
    max_error_rate = ShareField(required=False)
    max_latency_factor = StrictFloatField(minimum=1, required=False)
    max_ood_rate = ShareField(required=False)
    max_input_drift = ShareField(required=False)
    window_minutes = StrictIntegerField(minimum=1, maximum=LONGEST_WINDOW_MINUTES, required=False)
    min_requests = _whole(1)
    min_requests_drift = _whole(1)
    bake_minutes = _whole(0, allow_null=True)
    initial_delay_seconds = _whole(0)
    cooldown_seconds = _whole(0)
    mode = serializers.ChoiceField(choices=ModeOnBreach.choices, required=False)
    dry_run = StrictBooleanField(required=False)
    hold_on_shared_cause = StrictBooleanField(required=False)
    without_predecessor = serializers.ChoiceField(
        choices=WithoutPredecessor.choices, required=False
    )


FIELDS: tuple[str, ...] = tuple(RollbackPolicySerializer().get_fields())[1:]


def _current(names: Sequence[str]) -> dict[str, Body]:
    policies = RollbackPolicy.objects.filter(family__name__in=names).select_related("family")
    return {policy.family.name: _body(policy) for policy in policies}


def _body(policy: RollbackPolicy) -> Body:
    return Body(
        metadata={"name": policy.family.name},
        spec={name: getattr(policy, name) for name in FIELDS},
        status={"revision": policy.revision},
    )


def _create(many: Sequence[Values], user: User) -> None:
    for values in many:
        _change(values, frozenset(values), user)


def _change(values: Values, changed: frozenset[str], user: User) -> None:
    family = ModelFamily.objects.filter(name=values["name"]).first()
    if family is None:
        raise NotFound(f"There is no registered model {values['name']!r}; import it first.")
    changes = {name: values[name] for name in FIELDS if name in changed}
    import_string(settings.ASSAY_SET_POLICY)(family, changes, user=user)


ROLLBACK_POLICY = Kind(
    name="RollbackPolicy",
    of=Of.FAMILY,
    schema=Path(__file__).with_name("schemas") / "RollbackPolicy.json",
    metadata=("name",),
    serializer=RollbackPolicySerializer,
    fixed={},
    file=lambda body: f"{naming.folder(body.metadata['name'])}/rollback_policy.yaml",
    current=_current,
    create=_create,
    change=_change,
    agrees=same,
)
