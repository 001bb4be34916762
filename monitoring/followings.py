"""Follow a registered model, to hear of its incidents; or no longer."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from monitoring.models import Following
from registry import actors
from registry.ledger import events
from registry.models import ModelFamily


def follow(user: User, family: ModelFamily, *, now: datetime) -> Following:
    """Tell ``user`` of every incident of this model. Twice changes nothing."""
    return _say(user, family, True, now)


def unfollow(user: User, family: ModelFamily, *, now: datetime) -> Following:
    """Tell ``user`` no more of it, but what is critical to its owner or an operator.

    Twice changes nothing.
    """
    return _say(user, family, False, now)


def said_by(user: User, family: ModelFamily) -> Following | None:
    """What they said last; None where they never said anything."""
    return Following.objects.filter(user=user, family=family).first()


@transaction.atomic
def _say(user: User, family: ModelFamily, follows: bool, now: datetime) -> Following:
    rows = Following.objects.select_for_update()
    said, made = rows.get_or_create(
        user=user, family=family, defaults={"follows": follows, "said_at": now}
    )
    if not made and said.follows == follows:
        return said
    said.follows, said.said_at = follows, now
    said.save(update_fields=["follows", "said_at"])
    events.record(
        "following.started" if follows else "following.ended",
        actor=actors.actor_of(user),
        payload={"family": family.name},
    )
    return said
