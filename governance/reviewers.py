"""Who may review a version: people in a signing role who are none of the model's own people."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from registry.errors import NotAllowed
from registry.models import ModelFamily, ModelVersion, Stakeholder
from registry.tokens import SIGNING_ROLES, signing_roles

NAMED_AT_MOST = 5  # people listed in a sentence


def parts_of(version: ModelVersion, user: User) -> list[str]:
    """What makes ``user`` one of the model's own people; empty where nothing does."""
    return _parts(Stakeholder.objects.filter(version=version), user)


def own_people(version: ModelVersion, users: Iterable[User]) -> set[int]:
    """The primary keys of those ``users`` who are the model's own people, in two queries."""
    people = {user.pk: user.get_username() for user in users}
    groups = User.groups.through.objects.filter(user__in=people)
    names = {(pk, name) for pk, name in groups.values_list("user_id", "group__name")}
    names |= set(people.items())
    stakes = list(version.stakeholders.values_list("user_id", "name"))
    stakeholders = {pk for pk, _ in stakes}
    named = {name for _, name in stakes if name}
    return {pk for pk, name in names if name in named} | (people.keys() & stakeholders)


def refusal(version: ModelVersion, user: User) -> str | None:
    """Why ``user`` may not review ``version`` and who may; None where they may.

    Superusers are people like others: it is the role that counts, and distance from the model.
    """
    why = _why_not(parts_of(version, user), user)
    return why and f"{user} may not review {version}: {why}. {_who_may(version)}"


def check_may_review(version: ModelVersion, user: User) -> None:
    """Refuse whoever may not review ``version``.

    Raises:
        NotAllowed: The message says why, and who may.
    """
    sentence = refusal(version, user)
    if sentence is not None:
        raise NotAllowed(sentence)


def check_may_rule(family: ModelFamily, user: User) -> None:
    """Refuse whoever may not change the rules of a registered model: its people, or no reviewer.

    Raises:
        NotAllowed: The message says why.
    """
    why = _why_not(_parts(Stakeholder.objects.filter(version__family=family), user), user)
    if why is not None:
        raise NotAllowed(f"{user} may not change the rules of {family}: {why}.")


def eligible(version: ModelVersion) -> list[str]:
    """The usernames of those who may review ``version``, sorted."""
    holders = list(
        User.objects.filter(is_active=True, groups__name__in=SIGNING_ROLES)
        .distinct()
        .order_by("username")
    )
    own = own_people(version, holders)
    return [user.get_username() for user in holders if user.pk not in own]


def _parts(stakeholders: QuerySet[Stakeholder], user: User) -> list[str]:
    named = Q(name=user.get_username()) | Q(name__in=user.groups.values("name"))
    found = stakeholders.filter(Q(user=user) | named).values_list("part", flat=True)
    return sorted(set(found))


def _why_not(parts: list[str], user: User) -> str | None:
    if parts:
        return f"{user} is one of its own people ({', '.join(parts)})"
    if not signing_roles(user):
        return f"{user} is in neither of the groups {' and '.join(SIGNING_ROLES)}"
    return None


def _who_may(version: ModelVersion) -> str:
    able = eligible(version)
    if not able:
        return (
            "Nobody may yet: have an administrator put somebody else into the group "
            f"{' or '.join(SIGNING_ROLES)}."
        )
    more = f" and {len(able) - NAMED_AT_MOST} more" if len(able) > NAMED_AT_MOST else ""
    return f"These may: {', '.join(able[:NAMED_AT_MOST])}{more}."
