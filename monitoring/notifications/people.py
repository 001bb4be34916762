"""Whom an event concerns, for every channel that speaks to persons."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from monitoring.models import Following, Severity
from registry.models import Event, ModelFamily, ModelVersion

OPERATORS = Q(groups__name="operator")


def concerned(event: Event) -> QuerySet[User]:
    """The model's owners, the operators, and its followers.

    Who unfollowed is told of what is critical all the same, where they own it or are operators.
    """
    by_part = OPERATORS
    followers = Following.objects.none()
    if event.version is not None:
        family = event.version.family
        by_part |= owners(family, event.version)
        followers = Following.objects.filter(family=family, follows=True)
        if event.payload.get("severity") != Severity.CRITICAL:
            silent = Following.objects.filter(family=family, follows=False)
            by_part &= ~Q(pk__in=silent.values("user"))
    told = by_part | Q(pk__in=followers.values("user"))
    return User.objects.filter(told, is_active=True).distinct()


def is_told_anyway(user: User, family: ModelFamily) -> bool:
    """Whether they are told of what is critical without following: an owner, or an operator."""
    newest = family.versions.order_by("-number").first()
    either = OPERATORS | owners(family, newest)
    return User.objects.filter(either, pk=user.pk).exists()


def owners(family: ModelFamily, version: ModelVersion | None) -> Q:
    """The owner of the model and of the version, or the members of the group that owns it."""
    names = {family.owner, version.owner if version else ""} - {""}
    return Q(username__in=names) | Q(groups__name__in=names)
