"""Signed notes and the checkpoints written in them, after C2SP signed-note and tlog-checkpoint.

A checkpoint says of a log: this many entries, this root. Checking its signature needs the package
`cryptography` (`pip install assay[ledger]`); reading it needs nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

ED25519 = b"\x01"  # the algorithm's byte in keys and key ids
KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64
DASH = "\N{EM DASH} "


class NoteRefused(Exception):
    """The note is malformed, or not signed by this key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its name, how many entries it has, and their root."""

    origin: str
    size: int
    root: bytes  # 32 bytes

    @property
    def text(self) -> str:
        """The body of the note that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """Read the body of a note; lines after the third are extensions and are passed over.

        Raises:
            NoteRefused: It is no checkpoint.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise NoteRefused("A checkpoint has an origin, a size and a root, a line each.")
        origin, size, root = lines[:3]
        if not (size.isascii() and size.isdigit()) or size != str(int(size)):
            raise NoteRefused("The size of a checkpoint is a decimal number.")
        hashed = _decoded(root)
        if len(hashed) != 32:
            raise NoteRefused("The root of a checkpoint has 32 bytes.")
        return cls(origin, int(size), hashed)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a log's key, with the log's name; what an auditor keeps."""

    name: str
    public: bytes  # 32 bytes, Ed25519

    @property
    def id(self) -> bytes:
        """The four bytes that a signature names its key by."""
        named = self.name.encode() + b"\n" + ED25519 + self.public
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        encoded = base64.b64encode(ED25519 + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a key as ``str`` writes it.

        Raises:
            NoteRefused: It is no Ed25519 verifier key, or its id is not its own.
        """
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise NoteRefused("A verifier key has a name, an id and a key, joined by '+'.")
        name, identifier, encoded = parts
        material = _decoded(encoded)
        if material[:1] != ED25519 or len(material) != 33:
            raise NoteRefused("The key is no Ed25519 key.")
        key = cls(name, material[1:])
        if key.id.hex() != identifier:
            raise NoteRefused("The id of the key does not fit it.")
        return key

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a note, once its signature by this key has been checked.

        Raises:
            NoteRefused: This key has not signed it, or it is malformed.
        """
        text, signatures = _split(note)
        mine = [
            signature
            for name, identifier, signature in signatures
            if (name, identifier) == (self.name, self.id)
        ]
        if not mine:
            raise NoteRefused(f"The note carries no signature of {self.name} by this key.")
        for signature in mine:
            self._check(signature, text)
        checkpoint = Checkpoint.read(text)
        if checkpoint.origin != self.name:
            raise NoteRefused(f"The checkpoint is of {checkpoint.origin!r}, not of {self.name}.")
        return checkpoint

    def _check(self, signature: bytes, text: str) -> None:
        # Not above: whoever only reads checkpoints needs no cryptography.
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            raise NoteRefused("The signature is not of this text.") from None


def sealed(text: str, key: VerifierKey, signature: bytes) -> str:
    """A text and its signature as one note."""
    encoded = base64.b64encode(key.id + signature).decode()
    return f"{text}\n{DASH}{key.name} {encoded}\n"


def _split(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text, and each signature as name, key id and bytes."""
    text, blank, rest = note.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise NoteRefused("A note is a text, an empty line and signatures.")
    return f"{text}\n", [_signature(line) for line in rest[:-1].split("\n")]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, blank, encoded = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not blank or not name:
        raise NoteRefused("A signature line is a dash, a name and base64.")
    material = _decoded(encoded)
    if len(material) != KEY_ID_BYTES + SIGNATURE_BYTES:
        raise NoteRefused("A signature has a key id of 4 bytes and 64 bytes more.")
    return name, material[:KEY_ID_BYTES], material[KEY_ID_BYTES:]


def _decoded(text: str) -> bytes:
    """Bytes of canonical base64: of two spellings of the same bytes, one is refused."""
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise NoteRefused(f"This is no base64: {error}.") from error
    if base64.b64encode(found).decode() != text:
        raise NoteRefused("The base64 is not in its canonical spelling.")
    return found
