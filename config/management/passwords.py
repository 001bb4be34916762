"""Passwords that people copy from a terminal."""

from __future__ import annotations

import secrets

# Without the letters and digits that look alike.
ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LENGTH = 16  # 93 bits


def random_password() -> str:
    """A new password, such as nobody would guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
