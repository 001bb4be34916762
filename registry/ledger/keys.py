"""The ledger's key pair: made once, kept in files outside the database.

The private half is one line, as Go's note package writes it (`PRIVATE+KEY+name+id+base64`); the
public half is a C2SP verifier key. Auditors keep a copy of the public one.
"""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from assay import notes
from assay.notes import ED25519, NoteRefused, VerifierKey

PRIVATE, PUBLIC = "key", "key.pub"
PREFIX = "PRIVATE+KEY+"


class KeyMissing(Exception):
    """The ledger has checkpoints, but its key is not where it was."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Both halves of the key, and the name of the ledger that it signs for."""

    verifier: VerifierKey
    private: Ed25519PrivateKey

    def sign(self, text: str) -> str:
        """The text as a signed note."""
        return notes.sealed(text, self.verifier, self.private.sign(text.encode()))


def folder() -> Path:
    """Where the key pair and the outside copies of checkpoints are kept."""
    return Path(settings.ASSAY_LEDGER_DIR)


def public() -> VerifierKey | None:
    """The public half; None where no key was made yet.

    Raises:
        NoteRefused: The file does not hold one.
    """
    file = folder() / PUBLIC
    return VerifierKey.parse(file.read_text()) if file.exists() else None


def signing(*, make: bool) -> SigningKey:
    """The key pair, made now where there is none and ``make`` allows it.

    Raises:
        KeyMissing: There is none.
    """
    file = folder() / PRIVATE
    if not file.exists():
        if not make:
            raise KeyMissing(
                f"The ledger was signed before, but {file} is gone: put it back from a backup, or "
                "checkpoints cannot go on."
            )
        _make(file)
    name, _, encoded = file.read_text().strip().removeprefix(PREFIX).split("+", 2)
    seed = base64.b64decode(encoded)[1:]
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return SigningKey(VerifierKey(name, private.public_key().public_bytes_raw()), private)


def _make(file: Path) -> None:
    """Write the public half first: a private one without it would never be noticed."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = Ed25519PrivateKey.generate()
    key = VerifierKey(f"assay/{secrets.token_hex(4)}", private.public_key().public_bytes_raw())
    (file.parent / PUBLIC).write_text(f"{key}\n")
    encoded = base64.b64encode(ED25519 + private.private_bytes_raw()).decode()
    draft = file.with_suffix(".new")  # a process that dies here leaves no half of a key
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(f"{PREFIX}{key.name}+{key.id.hex()}+{encoded}\n")
        out.flush()
        os.fsync(out.fileno())
    draft.rename(file)


__all__ = ["KeyMissing", "NoteRefused", "SigningKey", "folder", "public", "signing"]
