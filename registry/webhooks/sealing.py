"""Webhook secrets at rest: encrypted with a key that the database does not hold."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class CannotUnseal(Exception):
    """The secret was sealed under another SECRET_KEY; rotate it."""


def seal(secret: str) -> str:
    """The secret as the database may keep it."""
    return _fernet().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret itself.

    Raises:
        CannotUnseal: It was sealed with another key.
    """
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotUnseal(
            "This secret was sealed under another ASSAY_SECRET_KEY: put that back, or rotate it."
        ) from error


def _fernet() -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"assay webhook secrets")
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))
