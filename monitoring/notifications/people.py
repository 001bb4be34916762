"""Whom an event concerns, for every channel that speaks to persons."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from registry.models import Event


def concerned(event: Event) -> QuerySet[User]:
    """The model's owner, or the members of the group that owns it, and the operators."""
    owner = event.version.owner if event.version else ""
    either = Q(username=owner) | Q(groups__name=owner) | Q(groups__name="operator")
    return User.objects.filter(either, is_active=True).distinct()
