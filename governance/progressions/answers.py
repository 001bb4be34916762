"""What the progression's endpoint takes and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from rest_framework import serializers

from governance.models import Progression, ProgressionState
from governance.progressions import steps
from governance.progressions.steering import STEERED
from governance.progressions.steps import Step
from registry.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)

ACTIONS = tuple(STEERED)
ORDINARY = Step(steps.WHOLE)  # has the defaults


def _note() -> StrictCharField:
    return StrictCharField(
        multiline=True, max_length=5_000, required=False, allow_blank=True, default=""
    )


class CanaryStepSerializer(StrictSerializer):
    """One share of live traffic, and what it takes to leave it for the next."""

    percentage = StrictIntegerField(minimum=1, maximum=steps.WHOLE)
    minutes = StrictIntegerField(minimum=1, maximum=steps.LONGEST_MINUTES, required=False)
    min_requests = StrictIntegerField(maximum=steps.MOST_REQUESTS, required=False)
    wait = StrictBooleanField(required=False)
    deadline_minutes = StrictIntegerField(
        minimum=2, maximum=2 * steps.LONGEST_MINUTES, required=False, allow_null=True
    )

    closer = {
        "percentage": {"description": "Of live traffic; 100 is production."},
        "minutes": {"default": ORDINARY.minutes},
        "min_requests": {"default": ORDINARY.min_requests},
        "wait": {
            "default": ORDINARY.wait,
            "description": "A person lets the canary into this step.",
        },
        "deadline_minutes": {"description": "An hour beyond `minutes` where none is given."},
    }


class ProgressionSerializer(StrictSerializer):
    """How a canary should progress: 5, 10, 25, 50, 100 % unless steps are given."""

    steps = serializers.ListField(
        child=CanaryStepSerializer(),
        allow_empty=False,
        max_length=steps.MOST_STEPS,
        required=False,
    )
    note = _note()


class SteeringSerializer(StrictSerializer):
    """What to do with a progression."""

    action = StrictCharField()
    note = _note()

    closer = {"action": {"enum": list(ACTIONS)}}

    def validate_action(self, action: str) -> str:
        if action not in ACTIONS:
            raise serializers.ValidationError(f"Actions are {', '.join(ACTIONS)}.", code="choice")
        return action


class CanaryStep(TypedDict):
    """One share of live traffic, and what it takes to leave it for the next."""

    percentage: int
    minutes: int
    min_requests: int
    wait: bool
    deadline_minutes: int | None


class CanaryProgression(TypedDict):
    """A canary's way through its steps; ``position`` counts from 0."""

    progression_id: int
    model_id: str
    state: ProgressionState
    steps: list[CanaryStep]
    position: int
    waits_for: list[str]
    note: str | None
    started_at: datetime
    entered_step_at: datetime
    deadline_at: datetime
    stalled_at: datetime | None
    ended_at: datetime | None
    revision: int


def shown(progression: Progression) -> dict[str, Any]:
    """A progression as the API shows it."""
    return {
        "progression_id": progression.pk,
        "model_id": progression.version.model_id,
        "state": progression.state,
        "steps": progression.steps,
        "position": progression.position,
        "waits_for": progression.waits_for,
        "note": progression.remark.text if progression.remark else None,
        "started_at": progression.started_at,
        "entered_step_at": progression.entered_step_at,
        "deadline_at": progression.deadline_at,
        "stalled_at": progression.stalled_at,
        "ended_at": progression.ended_at,
        "revision": progression.revision,
    }
