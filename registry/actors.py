"""Who did it: opaque ids in the record, names only where people read them."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

MONITOR = "system:monitor"  # the rollback monitor
PLAYBOOK = "system:playbook"
EVALUATOR = "system:evaluator"  # a worker that measures versions
PROGRESSION = "system:progression"  # what takes canaries from step to step
LABELS = {
    MONITOR: "rollback monitor",
    PLAYBOOK: "playbook",
    EVALUATOR: "evaluation worker",
    PROGRESSION: "canary progression",
}


def actor_of(user: AbstractBaseUser | AnonymousUser) -> str:
    """The opaque id of a user, as events and transitions hold it."""
    return f"user:{user.pk}"


def user_id(actor: str) -> int | None:
    """The user's primary key, or None for the system."""
    kind, _, key = actor.partition(":")
    return int(key) if kind == "user" and key.isdigit() else None


def names(actors: Iterable[str]) -> dict[str, str]:
    """What to call each actor, in one query. Erased users keep their opaque id."""
    wanted = set(actors)
    ids = {key for actor in wanted if (key := user_id(actor)) is not None}
    users = get_user_model().objects.filter(pk__in=ids) if ids else ()
    found = {actor_of(user): user.get_username() for user in users}
    return {actor: found.get(actor) or LABELS.get(actor) or actor for actor in wanted}


def name(actor: str) -> str:
    """What to call one actor."""
    return names([actor])[actor]
