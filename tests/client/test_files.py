"""Bytes go up with their digest and come down checked."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay import DigestMismatch, InvalidInput, NotFound, Registry
from assay.over_http import HttpTransport
from assay.session import Session, path
from assay.transport import Request
from tests.client.edge import Answer, Edge, HangUp

DIGEST = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of "hello"


def test_an_artifact_goes_up_with_its_digest_ahead(
    edge: Edge, registry: Registry, tmp_path: Path
) -> None:
    stored = {"sha256": DIGEST, "size": 5, "format": "safetensors"}
    edge.answer("PUT", "models/m/artifact", Answer(stored, 201))
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"hello")

    artifact = registry.upload_artifact("m", model)

    assert edge.asked[0].headers["digest"] == f"sha-256={DIGEST}"
    assert edge.asked[0].headers["content-length"] == "5"
    assert edge.asked[0].body == b"hello"
    assert (artifact.sha256, artifact.size, artifact.format) == (DIGEST, 5, "safetensors")


def test_an_open_file_goes_up_from_its_start_and_stays_open(edge: Edge, registry: Registry) -> None:
    edge.answer("PUT", "datasets/d", Answer({"name": "d", "sha256": "x", "size": 5}, 201))
    file = io.BytesIO(b"hello")
    file.seek(3)

    registry.upload_dataset("d", file)

    assert edge.asked[0].body == b"hello"
    assert not file.closed


def test_an_upload_answered_503_is_sent_again_whole(edge: Edge, registry: Registry) -> None:
    stored = Answer({"sha256": DIGEST, "size": 5}, 201)
    edge.answer("PUT", "models/m/artifact", Answer({}, 503), stored)

    registry.upload_artifact("m", io.BytesIO(b"hello"))

    assert [asked.body for asked in edge.asked] == [b"hello", b"hello"]


def test_what_cannot_be_read_twice_is_refused(registry: Registry) -> None:
    reading, writing = os.pipe()
    os.close(writing)

    with os.fdopen(reading, "rb") as pipe, pytest.raises(ValueError, match="cannot seek"):
        registry.upload_artifact("m", pipe)


def test_a_download_appears_whole_and_checked(
    edge: Edge, registry: Registry, tmp_path: Path
) -> None:
    edge.answer("GET", "models/m/artifact", Answer(b"hello", headers={"ETag": f'"{DIGEST}"'}))

    download = registry.download_artifact("m", tmp_path / "m.bin")

    assert download.path.read_bytes() == b"hello"
    assert download.sha256 == DIGEST
    assert list(tmp_path.iterdir()) == [tmp_path / "m.bin"]


def test_bytes_that_are_not_the_recorded_ones_are_not_kept(
    edge: Edge, registry: Registry, tmp_path: Path
) -> None:
    target = tmp_path / "m.bin"
    target.write_bytes(b"the one before")
    edge.answer("GET", "models/m/artifact", Answer(b"hallo", headers={"ETag": f'"{DIGEST}"'}))

    with pytest.raises(DigestMismatch, match=f"recorded is {DIGEST}"):
        registry.download_artifact("m", target)

    assert target.read_bytes() == b"the one before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_download_cut_short_begins_again(edge: Edge, registry: Registry, tmp_path: Path) -> None:
    whole = Answer(b"hello", headers={"ETag": f'"{DIGEST}"'})
    edge.answer("GET", "models/m/artifact", Answer(b"hel", cut=2), HangUp(), whole)

    registry.download_artifact("m", tmp_path / "m.bin")

    assert (tmp_path / "m.bin").read_bytes() == b"hello"


def test_a_refused_download_leaves_nothing(edge: Edge, registry: Registry, tmp_path: Path) -> None:
    edge.answer("GET", "models/m/artifact", Answer({"title": "No artifact"}, 404))

    with pytest.raises(NotFound, match="No artifact"):
        registry.download_artifact("m", tmp_path / "m.bin")

    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_is_not_taken_for_a_registry_that_does(
    edge: Edge, registry: Registry
) -> None:
    edge.answer("GET", "models/m/artifact", Answer(b"hello", headers={"ETag": f'"{DIGEST}"'}))

    with pytest.raises(FileNotFoundError):
        registry.download_artifact("m", "/nowhere/at/all/m.bin")
    with pytest.raises(OSError, match="No space left"):
        registry.session.send(Request("GET", path("models", "m", "artifact")), into=FullDisk())

    assert len(edge.asked) == 1


class FullDisk(io.BytesIO):
    """A file on a disk without room."""

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@contextlib.contextmanager
def refusing_early() -> Iterator[int]:
    """A server that reads the head of one upload, refuses it and closes; gives its port."""
    problem = b'{"title": "Over the limit of 1 MB."}'
    head = b"HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    refusal = head % len(problem) + problem

    def refuse(listening: socket.socket) -> None:
        accepted, _ = listening.accept()
        with accepted:
            accepted.recv(4096)
            accepted.sendall(refusal)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=refuse, args=(listening,))
        server.start()
        yield listening.getsockname()[1]
        server.join()


def test_a_refusal_in_the_middle_of_an_upload_is_heard(tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(64 << 20)

    with refusing_early() as port, pytest.raises(InvalidInput, match="Over the limit of 1 MB"):
        Registry(Session(HttpTransport(f"http://127.0.0.1:{port}"))).upload_artifact("m", big)
