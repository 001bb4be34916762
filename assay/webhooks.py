"""Webhooks after Standard Webhooks: sign them, and, as a receiver, check what came in.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping

PREFIX = "whsec_"
VERSION = "v1"
SECRET_BYTES = 32
LONGEST_TIMESTAMP = 12  # digits
TOLERANCE = 300  # seconds that clocks may differ, and a message may be old


class WebhookRefused(Exception):
    """The message is not from this sender, or too old; do not act on it."""


def new_secret() -> str:
    """A secret for sender and receiver."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of one message, as the header ``webhook-signature`` carries it.

    Args:
        timestamp: Seconds since 1970, UTC.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"{VERSION},{base64.b64encode(digest).decode()}"


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None
) -> None:
    """Check that ``body``, as it was received, was signed with ``secret`` a short while ago.

    Args:
        headers: The request's; their case does not matter.

    Raises:
        WebhookRefused: It was not.
    """
    given = {name.lower(): value for name, value in headers.items()}
    missing = [
        n for n in ("webhook-id", "webhook-timestamp", "webhook-signature") if n not in given
    ]
    if missing:
        raise WebhookRefused(f"The message lacks {', '.join(missing)}.")
    sent = given["webhook-timestamp"]
    if not (sent.isascii() and sent.isdigit() and len(sent) <= LONGEST_TIMESTAMP):
        raise WebhookRefused("webhook-timestamp is a number of seconds.")
    if abs((time.time() if now is None else now) - int(sent)) > TOLERANCE:
        raise WebhookRefused("The message is too old, or from the future.")
    expected = signature(secret, given["webhook-id"], int(sent), body)
    offered = given["webhook-signature"].split(" ")
    # Several are there while a secret rotates.
    if not any(hmac.compare_digest(expected.encode(), each.encode()) for each in offered):
        raise WebhookRefused("No signature is of this message and this secret.")


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"A secret is {PREFIX} and base64.") from error
