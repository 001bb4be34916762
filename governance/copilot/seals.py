"""Confirmations: a plan, signed for one person and a few minutes, so that nothing need be kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core import signing

from governance.copilot.askers import Asker
from registry.errors import NotAllowed, Unprocessable

GOOD_FOR = timedelta(minutes=5)
SALT = "governance.copilot"


def seal(plan: Mapping[str, Any], asker: Asker, *, now: datetime) -> str:
    """The confirmation of a plan, by this person, for ``GOOD_FOR``."""
    until = (now + GOOD_FOR).timestamp()
    return signing.Signer(salt=SALT).sign_object({**plan, "user": asker.user.pk, "until": until})


def opened(confirmation: str, asker: Asker, *, now: datetime) -> dict[str, Any]:
    """The plan that was sealed.

    Raises:
        Unprocessable: It is no confirmation of ours, or too old.
        NotAllowed: It is somebody else's.
    """
    try:
        plan: dict[str, Any] = signing.Signer(salt=SALT).unsign_object(confirmation)
    except signing.BadSignature as error:
        raise Unprocessable.of("confirmation", "This is no plan of mine; ask again.") from error
    if plan["until"] < now.timestamp():
        raise Unprocessable.of("confirmation", "This plan is too old; ask again.", "expired")
    if plan["user"] != asker.user.pk:
        raise NotAllowed("This plan was made for somebody else; ask for your own.")
    return plan
