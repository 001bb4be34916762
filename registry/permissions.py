"""What a caller may do, by the scopes of a token or the roles of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from registry import actors, tokens
from registry.errors import NotAllowed
from registry.models import ApiToken, ModelFamily

if TYPE_CHECKING:  # the framework imports this module while it makes APIView
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Views name the scope each of their methods needs in ``scopes``; no name, no access."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        if request.method not in view.allowed_methods:
            raise exceptions.MethodNotAllowed(str(request.method))
        needed = getattr(view, "scopes", {}).get(request.method)
        if needed is None:
            return False
        check_scope(request, needed)
        return True


def scopes_of(request: Request) -> frozenset[str]:
    """The token's scopes, or those of the roles the person holds."""
    if isinstance(request.auth, ApiToken):
        return frozenset(request.auth.scopes)
    return tokens.scopes_of(caller(request))


def check_scope(request: Request, scope: str) -> None:
    """Refuse a caller without ``scope``.

    Raises:
        NotAllowed: They have not; the message says whose role has.
    """
    if scope not in scopes_of(request):
        roles = " or ".join(role for role, scopes in tokens.SCOPES.items() if scope in scopes)
        raise NotAllowed(
            f"This needs the scope {scope}, which {request.user} has not here; use a token of role "
            f"{roles}."
        )


def check_user_scope(user: User, scope: str) -> None:
    """Refuse a person none of whose roles gives ``scope``: where they act without a request.

    Raises:
        NotAllowed: The message says whose role does.
    """
    if scope not in tokens.scopes_of(user):
        roles = " or ".join(role for role, scopes in tokens.SCOPES.items() if scope in scopes)
        raise NotAllowed(f"{user} may not do this: it needs the role {roles}.")


def caller(request: Request) -> User:
    """The user a view acts for; HasScope has let nobody else in."""
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user


def check_reach(
    request: Request, family: ModelFamily | None, scope: str, *, team: str = ""
) -> None:
    """Refuse a caller whose token or team does not reach this model: the one place that decides.

    Args:
        family: None where it is not made yet.
        team: The team that is to have the model, where the request says so.

    Raises:
        NotAllowed: They are bound elsewhere.
    """
    token, teams = request.auth, _teams(family, team)
    if not isinstance(token, ApiToken):
        check_user_reach(caller(request), family, scope, team=team)
        return
    if token.role == tokens.SERVING and token.family_id is None:  # issued before each named one
        raise NotAllowed(tokens.UNBOUND)
    if token.family_id is not None and (family is None or token.family_id != family.pk):
        raise NotAllowed(f"This token is bound to the model {token.family}.")
    for wanted in teams if token.team else ():
        if wanted != token.team:
            raise NotAllowed(f"This token is bound to the team {token.team!r}, not {wanted!r}.")
    _check_teams(token.user, frozenset([token.role]), scope, teams)


def check_user_reach(user: User, family: ModelFamily | None, scope: str, *, team: str = "") -> None:
    """As ``check_reach``, for a person: where they act by a page.

    Raises:
        NotAllowed: They are of other teams.
    """
    if not user.is_superuser:
        _check_teams(user, tokens.roles_of(user), scope, _teams(family, team))


def check_owner(request: Request, owner: str, what: str) -> None:
    """Refuse a caller who did not make this, is of no team of its maker's, and is no operator.

    Args:
        owner: The actor who made it.

    Raises:
        NotAllowed: The message says whom to ask.
    """
    user = caller(request)
    if owner == actors.actor_of(user) or tokens.WEBHOOKS in scopes_of(request):
        return
    key = actors.user_id(owner)
    maker = User.objects.filter(pk=key).first() if key is not None else None
    if maker is not None and tokens.teams_of(maker) & tokens.teams_of(user):
        return
    raise NotAllowed(
        f"{what} is {actors.name(owner)}'s, and {user} shares no team with them: take a name of "
        "your own, or ask an operator."
    )


def _teams(family: ModelFamily | None, team: str) -> list[str]:
    """The teams concerned: whose model it is, and whose it is to be."""
    named = {team, family.team if family else ""}
    return sorted(named - {""})


def _check_teams(user: User, roles: frozenset[str], scope: str, teams: list[str]) -> None:
    if any(tokens.RULES[role].get(scope) is tokens.Reach.ANY for role in roles):
        return
    own = tokens.teams_of(user)
    if not own and not settings.ASSAY_TEAMS_REQUIRED:
        return
    for team in teams:
        if team not in own:
            raise NotAllowed(
                f"This model is the team {team!r}'s, and {user} is of "
                f"{', '.join(sorted(own)) or 'no team'}; have an administrator put {user} into the "
                f"group {tokens.TEAM_GROUP}{team}."
            )
