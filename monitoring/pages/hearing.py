"""Who is told of a model's incidents, and what the reader said about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User

from monitoring import followings
from monitoring.models import Following
from monitoring.notifications import people
from registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Hearing:
    """Whether the reader is told of the incidents of a model."""

    follows: bool
    is_told_anyway: bool  # of what is critical, as its owner or an operator
    followers: list[str]


def of(reader: User, version: ModelVersion) -> Hearing:
    """What ``reader`` is told of the model that this is a version of, and who follows it."""
    said = followings.said_by(reader, version.family)
    told = people.is_told_anyway(reader, version.family)
    rows = Following.objects.filter(family=version.family_id, follows=True, user__is_active=True)
    names = list(rows.order_by("user__username").values_list("user__username", flat=True))
    return Hearing(told if said is None else said.follows, told, names)
