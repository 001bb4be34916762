"""Content-addressed files: streamed to quarantine, hashed while written, never overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from registry import lifecycle, registration
from registry.actors import actor_of
from registry.errors import Conflict, NotFound, TooLarge, Unprocessable
from registry.ledger import events
from registry.models import Artifact, DataSet, DeploymentStage, ModelVersion, Part

CHUNK = 1024 * 1024  # bytes
LARGEST_SAFETENSORS_HEADER = 100_000_000  # bytes, the format's own limit
OPEN_STAGES = (DeploymentStage.DEVELOPMENT, DeploymentStage.SANDBOX)


class Readable(Protocol):
    """Anything an upload can be read from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Received:
    """A file in quarantine: written, hashed, not yet part of the store."""

    path: Path
    sha256: str
    size: int  # bytes


def path_of(sha256: str) -> Path:
    """Where the store keeps the file of this digest."""
    return Path(settings.ASSAY_ARTIFACTS) / "sha256" / sha256[:2] / sha256


def receive(stream: Readable, *, expected_sha256: str | None = None) -> Received:
    """Stream an upload to quarantine, hashing while writing. The caller keeps or discards it.

    Raises:
        TooLarge: It is over ASSAY_MAX_ARTIFACT_BYTES.
        Unprocessable: It is empty, or not of the expected digest.
    """
    quarantine = Path(settings.ASSAY_ARTIFACTS) / "quarantine"
    quarantine.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=quarantine)
    received = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            digest, size = _copy(stream, file)
            file.flush()
            os.fsync(file.fileno())
        if size == 0:
            raise Unprocessable.of("", "The body is empty; send the file's bytes.")
        if expected_sha256 not in (None, digest):
            raise Unprocessable.of(
                "Digest", f"The bytes received have sha256 {digest}, not {expected_sha256}."
            )
    except BaseException:
        received.unlink()
        raise
    return Received(received, digest, size)


def attach(version: ModelVersion, received: Received, *, uploader: User) -> Artifact:
    """Make the received file the version's artifact. The same file twice changes nothing.

    Raises:
        Conflict: The version has another artifact, or has left sandbox without one.
        Unprocessable: The registration declared another digest.
    """
    with transaction.atomic():
        version = lifecycle.lock(version)
        _check_may_attach(version, received)
        artifact = _keep(received)
        if version.artifact_id == artifact.sha256:
            return artifact
        version.artifact = artifact
        version.revision += 1
        version.save(update_fields=["artifact", "revision"])
        registration.join(version, Part.UPLOADER, user=uploader)
        events.record(
            "model.artifact.uploaded",
            subject=version,
            actor=actor_of(uploader),
            payload={"sha256": artifact.sha256, "size": artifact.size, "format": artifact.format},
        )
    return artifact


@transaction.atomic
def keep_data_set(name: str, received: Received, *, uploader: User) -> DataSet:
    """Keep the received file as the data set ``name``; a newer upload moves the name on."""
    artifact = _keep(received)
    data_set, _ = DataSet.objects.update_or_create(
        name=name, defaults={"artifact": artifact, "uploaded_by": actor_of(uploader)}
    )
    events.record(
        "data_set.uploaded",
        actor=actor_of(uploader),
        payload={"data_set": name, "sha256": artifact.sha256},
    )
    return data_set


def chunks(version: ModelVersion) -> Iterator[bytes]:
    """The bytes of the version's artifact.

    Raises:
        NotFound: None was uploaded.
    """
    if version.artifact_id is None:
        raise NotFound(f"{version} has no uploaded artifact; PUT one first.")
    return _read(path_of(version.artifact_id))


def detect(path: Path) -> tuple[Artifact.Format, str]:
    """The format a file may be loaded as, and what its first bytes say it is. Executes nothing."""
    with path.open("rb") as file:
        head = file.read(16)
        if _is_safetensors(file, head, path.stat().st_size):
            return Artifact.Format.SAFETENSORS, "safetensors"
    for magic, name in MAGIC:
        if head.startswith(magic):
            return Artifact.Format.OPAQUE, name
    return Artifact.Format.OPAQUE, "unknown"


MAGIC = (
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
    (b"PK\x03\x04", "zip (torch, skops or npz)"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\x93NUMPY", "npy"),
    (b"\x08", "ONNX or protobuf"),
)


def _is_safetensors(file: Readable, head: bytes, size: int) -> bool:
    """Eight bytes of header length, then a JSON object of that length."""
    length = int.from_bytes(head[:8], "little")
    if len(head) < 10 or head[8:9] != b"{" or not 2 <= length <= size - 8:
        return False
    if length > LARGEST_SAFETENSORS_HEADER:
        return False
    header = head[8:] + file.read(length - len(head) + 8)
    try:
        return isinstance(json.loads(header[:length]), dict)
    except (ValueError, RecursionError):
        return False


def _copy(stream: Readable, file: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > settings.ASSAY_MAX_ARTIFACT_BYTES:
            limit = settings.ASSAY_MAX_ARTIFACT_BYTES
            raise TooLarge(f"The file is larger than {limit} bytes, the limit here.")
        digest.update(chunk)
        file.write(chunk)
    return digest.hexdigest(), size


def _check_may_attach(version: ModelVersion, received: Received) -> None:
    if version.artifact_id not in (None, received.sha256):
        raise Conflict(
            f"{version} has an artifact already, sha256 {version.artifact_id}; a version's artifact "
            "never changes. Register a new version."
        )
    if version.declared_sha256 not in ("", received.sha256):
        raise Unprocessable.of(
            "artifact_sha256",
            f"{version} was registered with sha256 {version.declared_sha256}, not "
            f"{received.sha256}.",
        )
    if version.artifact_id is None and version.stage not in OPEN_STAGES:
        raise Conflict(f"{version} is {version.stage}; artifacts are uploaded before canary.")


def _keep(received: Received) -> Artifact:
    """Move the file into the store, then the row: a row never points at nothing."""
    kept = path_of(received.sha256)
    kept.parent.mkdir(parents=True, exist_ok=True)
    format_, detected = detect(received.path)
    received.path.chmod(0o444)
    received.path.replace(kept)
    _sync(kept.parent)
    artifact, _ = Artifact.objects.get_or_create(
        sha256=received.sha256,
        defaults={"size": received.size, "format": format_, "detected": detected},
    )
    return artifact


def _sync(folder: Path) -> None:
    """Make the new name durable, not only the bytes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
