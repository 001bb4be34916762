"""Who is asking, and how what they may do is checked: as the face they came by checks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User
from rest_framework.request import Request

from registry import permissions
from registry.models import ModelFamily


@dataclass(frozen=True, slots=True)
class Asker:
    """A person, and the check that refuses them a scope on a model with ``NotAllowed``."""

    user: User
    check: Callable[[ModelFamily, str], None]


def by_request(request: Request) -> Asker:
    """Whoever calls the API: their token may do less than they themselves."""

    def check(family: ModelFamily, scope: str) -> None:
        permissions.check_scope(request, scope)
        permissions.check_reach(request, family, scope)

    return Asker(permissions.caller(request), check)


def by_user(user: User) -> Asker:
    """Whoever signed in, or sits at the command line."""

    def check(family: ModelFamily, scope: str) -> None:
        permissions.check_user_scope(user, scope)
        permissions.check_user_reach(user, family, scope)

    return Asker(user, check)
