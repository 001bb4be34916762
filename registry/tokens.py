"""Issue, check and revoke bearer tokens; which role may do what."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.auth.models import Group, User
from django.db import transaction

from registry import passes
from registry.errors import InvalidInput
from registry.models import ApiToken, ModelFamily

READ = "registry:read"
MODELS_WRITE = "models:write"
DEPLOY = "deployments:write"
ROLL_BACK = "rollbacks:write"
INCIDENTS = "incidents:write"
PERFORMANCE_WRITE = "performance:write"
REVIEW_SIGN = "review:sign"
EVENTS = "events:subscribe"
WEBHOOKS = "webhooks:write"


class Reach(StrEnum):
    """Whose models a role's scope is good for, where people are in teams."""

    ANY = "any team"
    OWN = "own team"


# Who may do what, in one table. Roles are Django groups of the same names, made by migration.
# Reading is open to all. Operators and reviewers help every team: harm must be stopped by whoever
# is on call, and a model is approved by people from elsewhere.
RULES: dict[str, dict[str, Reach]] = {
    "trainer": {
        READ: Reach.ANY,
        MODELS_WRITE: Reach.OWN,
        DEPLOY: Reach.OWN,
        EVENTS: Reach.OWN,
    },
    "serving": {READ: Reach.ANY, PERFORMANCE_WRITE: Reach.OWN},
    "operator": {
        READ: Reach.ANY,
        DEPLOY: Reach.ANY,
        ROLL_BACK: Reach.ANY,
        INCIDENTS: Reach.ANY,
        PERFORMANCE_WRITE: Reach.ANY,
        EVENTS: Reach.ANY,
        WEBHOOKS: Reach.ANY,
    },
    "reviewer": {
        READ: Reach.ANY,
        REVIEW_SIGN: Reach.ANY,
        DEPLOY: Reach.ANY,
        INCIDENTS: Reach.ANY,
    },
    "risk_officer": {
        READ: Reach.ANY,
        REVIEW_SIGN: Reach.ANY,
        DEPLOY: Reach.ANY,
        INCIDENTS: Reach.ANY,
    },
}
SCOPES: dict[str, tuple[str, ...]] = {role: tuple(rules) for role, rules in RULES.items()}
SERVING = "serving"
UNBOUND = (
    "A token of role serving reports on one model and has to name it: issue one for each model, "
    "with `manage.py issue_token USERNAME --role serving --family NAME` or in the console."
)
TEAM_GROUP = "team:"  # members of the group team:fraud are of the team fraud
SIGNING_ROLES = ("reviewer", "risk_officer")
LAST_USED_STEP = timedelta(minutes=1)  # a write a minute at most, not one a request


@transaction.atomic
def issue(
    username: str,
    *,
    role: str,
    family: ModelFamily | None = None,
    team: str = "",
    expires_at: datetime | None = None,
) -> str:
    """Issue a token for ``username``, made where missing, who joins the role's group.

    Who may sign may also enter the console, where signing is done.

    Returns:
        The token itself, which is kept nowhere: only its sha256 is.

    Raises:
        InvalidInput: There is no such role, or a serving token names no model.
    """
    if role not in SCOPES:
        raise InvalidInput.of("role", f"There is no role {role!r}; roles are {', '.join(SCOPES)}.")
    if role == SERVING and family is None:
        raise InvalidInput.of("family", UNBOUND)
    user, made = User.objects.get_or_create(username=username)
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    user.groups.add(Group.objects.get(name=role))
    if role in SIGNING_ROLES and not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    token = f"assay_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(
        user=user,
        digest=digest_of(token),
        role=role,
        scopes=list(SCOPES[role]),
        family=family,
        team=team,
        expires_at=expires_at,
    )
    return token


def find(token: str, *, now: datetime) -> ApiToken | None:
    """The live token of an active user; None for anything else."""
    # Every call begins with this: the key alone is asked for, since building more of a query takes
    # longer than answering it.
    try:
        found = ApiToken.objects.select_related("user").get(digest=digest_of(token))
    except ApiToken.DoesNotExist:
        return None
    if not _opens(found, now):
        return None
    if _used_before(found, now):
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def find_for_poll(token: str, *, now: datetime) -> ApiToken | None:
    """As ``find``, for those who ask each second: what was found some seconds ago still stands."""
    known = passes.recall(digest_of(token), now=now)
    if known is not None:
        return known
    found = find(token, now=now)
    if found is not None:
        passes.remember(found)
    return found


def revoke(token: ApiToken, *, now: datetime) -> None:
    """Let a token open nothing more, at once. Twice changes nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
    transaction.on_commit(lambda: passes.bar(token.digest), robust=True)


def scopes_of(user: User) -> frozenset[str]:
    """What a person may do by the roles they hold; superusers may do all but sign for a role."""
    roles = set(user.groups.values_list("name", flat=True))
    scopes = {scope for role in roles for scope in SCOPES.get(role, ())}
    if user.is_superuser:
        scopes |= {READ, MODELS_WRITE, DEPLOY, ROLL_BACK, INCIDENTS}
        scopes |= {PERFORMANCE_WRITE, EVENTS, WEBHOOKS}
    return frozenset(scopes)


def teams_of(user: User) -> frozenset[str]:
    """The teams a person is in: those of their groups named ``team:…``."""
    names = user.groups.filter(name__startswith=TEAM_GROUP).values_list("name", flat=True)
    return frozenset(name.removeprefix(TEAM_GROUP) for name in names)


def roles_of(user: User) -> frozenset[str]:
    """The roles a person holds."""
    return frozenset(user.groups.filter(name__in=RULES).values_list("name", flat=True))


def is_of_job(token: object) -> bool:
    """Whether somebody calls with a serving token, and not as a person or in process."""
    return isinstance(token, ApiToken) and token.role == SERVING


def signing_roles(user: User) -> list[str]:
    """The roles in which ``user`` may sign, in the order of SIGNING_ROLES."""
    held = set(user.groups.values_list("name", flat=True))
    return [role for role in SIGNING_ROLES if role in held]


def digest_of(token: str) -> str:
    """The sha256 a token is kept as; 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _opens(token: ApiToken, now: datetime) -> bool:
    unexpired = token.expires_at is None or token.expires_at > now
    return unexpired and token.revoked_at is None and token.user.is_active


def _used_before(token: ApiToken, now: datetime) -> bool:
    return token.last_used_at is None or now - token.last_used_at >= LAST_USED_STEP
