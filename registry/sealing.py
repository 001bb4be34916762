"""What the database keeps and must not tell: encrypted with a key that it does not hold."""

from __future__ import annotations

import base64
from enum import StrEnum

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Purpose(StrEnum):
    """What is sealed; each purpose has a key of its own."""

    WEBHOOK_SECRETS = "webhook secrets"
    KEPT_ANSWERS = "kept answers"


class CannotUnseal(Exception):
    """It was sealed under another SECRET_KEY."""


def seal(text: str, purpose: Purpose) -> str:
    """The text as the database may keep it."""
    return _fernet(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, purpose: Purpose) -> str:
    """The text itself.

    Raises:
        CannotUnseal: It was sealed with another key.
    """
    try:
        return _fernet(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotUnseal(
            "This secret was sealed under another ASSAY_SECRET_KEY: put that back, or rotate it."
        ) from error


def _fernet(purpose: Purpose) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=f"assay {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))
