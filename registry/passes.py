"""Which tokens were good a moment ago, for those who ask each second.

A pass opens what asks for it by name (``polled``), and nothing else. It lasts some seconds; ending
a token ends its pass at once, and keeps out one that somebody who read the token before is writing.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from registry import broker
from registry.models import ApiToken

LASTS = 5_000  # ms
BARRED = 2 * LASTS  # longer than anybody takes from reading a token to writing its pass


def recall(digest: str, *, now: datetime) -> ApiToken | None:
    """The token of this digest, unsaved, with what a poll needs; None: ask the database."""
    if connection.in_atomic_block:
        return None
    kept = broker.ask(lambda server: server.get(_key(digest)))
    if not kept:  # none, or barred
        return None
    token = _read(json.loads(kept))
    return token if token.expires_at is None or token.expires_at > now else None


def remember(token: ApiToken) -> None:
    """Write the pass of a token that was just found to be good."""
    if not connection.in_atomic_block:
        said = json.dumps(_facts(token))
        broker.ask(lambda server: server.set(_key(token.digest), said, nx=True, px=LASTS))


def bar(digest: str) -> None:
    """End the pass of a token that is revoked, and let none be written that is under way."""
    broker.tell(lambda server: server.set(_key(digest), "", px=BARRED))


def _facts(token: ApiToken) -> dict[str, Any]:
    return {
        "pk": token.pk,
        "user": [token.user.pk, token.user.username],
        "role": token.role,
        "scopes": token.scopes,
        "expires_at": token.expires_at and token.expires_at.isoformat(),
    }


def _read(facts: dict[str, Any]) -> ApiToken:
    pk, username = facts["user"]
    expires_at = facts["expires_at"]
    return ApiToken(
        pk=facts["pk"],
        user=User(pk=pk, username=username),
        role=facts["role"],
        scopes=facts["scopes"],
        expires_at=expires_at and datetime.fromisoformat(expires_at),
    )


def _key(digest: str) -> str:
    return f"assay:pass:{digest}"
