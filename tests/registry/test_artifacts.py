"""Artifacts are kept by what is in them, hashed while written, and never loaded here."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from registry import artifacts
from registry.models import Artifact, DataSet, ModelVersion

Maker = Callable[..., ModelVersion]
Caller = Callable[..., APIClient]

API = "/api/model-registry"

pytestmark = pytest.mark.django_db


def safetensors(content: bytes = b"") -> bytes:
    header = json.dumps({"__metadata__": {"made": "here"}}).encode()
    return len(header).to_bytes(8, "little") + header + content


def put(client: APIClient, version: ModelVersion, body: bytes, **headers: Any) -> Any:
    return client.put(
        f"{API}/models/{version.model_id}/artifact",
        body,
        content_type="application/octet-stream",
        **headers,
    )


def kept_files() -> list[Path]:
    store = artifacts.path_of("a" * 64).parent.parent.parent
    return [path for path in store.rglob("*") if path.is_file()] if store.exists() else []


def test_what_goes_in_comes_out_under_its_digest(api: Caller, make_version: Maker) -> None:
    version, client, body = make_version(), api("trainer"), safetensors(os.urandom(3_000_000))
    digest = hashlib.sha256(body).hexdigest()

    stored = put(client, version, body, HTTP_DIGEST=f"sha-256={digest}")
    back = client.get(f"{API}/models/{version.model_id}/artifact")

    assert stored.json() == {"sha256": digest, "size": len(body), "format": "safetensors"}
    assert back.getvalue() == body
    assert back["ETag"] == f'"{digest}"'


def test_a_wrong_digest_is_refused_and_leaves_nothing(api: Caller, make_version: Maker) -> None:
    before = len(kept_files())

    answer = put(api("trainer"), make_version(), b"bytes", HTTP_DIGEST=f"sha-256={'0' * 64}")

    assert answer.status_code == 422
    assert "have sha256" in answer.json()["detail"]
    assert len(kept_files()) == before
    assert not Artifact.objects.exists()


def test_another_digest_than_the_registered_one_is_refused(
    api: Caller, make_version: Maker
) -> None:
    version = make_version(declared_sha256="b" * 64)

    answer = put(api("trainer"), version, b"bytes")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/artifact_sha256"


def test_the_same_file_twice_changes_nothing(api: Caller, make_version: Maker) -> None:
    version, client = make_version(), api("trainer")
    put(client, version, safetensors())
    version.refresh_from_db()
    revision = version.revision

    again = put(client, version, safetensors())

    version.refresh_from_db()
    assert again.status_code == 201
    assert version.revision == revision


def test_an_artifact_never_changes(api: Caller, make_version: Maker) -> None:
    version, client = make_version(), api("trainer")
    put(client, version, safetensors(b"one"))

    answer = put(client, version, safetensors(b"two"))

    assert answer.status_code == 409
    assert "never changes" in answer.json()["detail"]


def test_artifacts_come_before_canary(api: Caller, make_version: Maker) -> None:
    assert put(api("trainer"), make_version("canary"), b"late").status_code == 409


def test_an_empty_body_is_refused(api: Caller, make_version: Maker) -> None:
    assert put(api("trainer"), make_version(), b"").status_code == 422


def test_what_is_over_the_limit_is_refused(api: Caller, make_version: Maker, settings: Any) -> None:
    settings.ASSAY_MAX_ARTIFACT_BYTES = 10

    answer = put(api("trainer"), make_version(), b"eleven byte")

    assert answer.status_code == 413
    assert "limit" in answer.json()["detail"]


def test_two_versions_share_one_file(api: Caller, make_version: Maker) -> None:
    client = api("trainer")

    for _ in range(2):
        put(client, make_version(), safetensors(b"shared"))

    assert Artifact.objects.count() == 1


def test_a_pickle_is_kept_opaque_and_never_run(
    api: Caller, make_version: Maker, tmp_path: Path
) -> None:
    trap = tmp_path / "sprung"

    class Malicious:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {trap}",)

    answer = put(api("trainer"), make_version(), pickle.dumps(Malicious()))

    assert answer.json()["format"] == "opaque"
    assert Artifact.objects.get().detected == "pickle"
    assert not trap.exists()


@pytest.mark.parametrize(
    ("content", "detected"),
    [
        (safetensors(), "safetensors"),
        ((10).to_bytes(8, "little") + b"{not json}", "unknown"),
        ((2**60).to_bytes(8, "little") + b"{}", "unknown"),
        ((200_000).to_bytes(8, "little") + b'{"a":' * 40_000, "unknown"),
        (b"{", "unknown"),
        (b"PK\x03\x04....", "zip (torch, skops or npz)"),
        (b"\x80\x04\x95", "pickle"),
        (b"\x93NUMPY\x01", "npy"),
    ],
)
def test_formats_are_told_by_content(tmp_path: Path, content: bytes, detected: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    format_, name = artifacts.detect(path)

    assert name == detected
    assert (format_ == Artifact.Format.SAFETENSORS) == (detected == "safetensors")


def test_there_is_nothing_to_download_before_an_upload(api: Caller, make_version: Maker) -> None:
    answer = api("trainer").get(f"{API}/models/{make_version().model_id}/artifact")

    assert answer.status_code == 404


def test_a_data_set_s_name_moves_on_with_a_newer_upload(api: Caller) -> None:
    client = api("trainer")

    for content in (b"old", b"new"):
        client.put(
            f"{API}/datasets/census-2016",
            safetensors(content),
            content_type="application/octet-stream",
        )

    found = client.get(f"{API}/datasets").json()["datasets"]
    assert [d["sha256"] for d in found] == [hashlib.sha256(safetensors(b"new")).hexdigest()]
    assert (DataSet.objects.count(), Artifact.objects.count()) == (1, 2)


def test_no_upload_stays_in_quarantine(api: Caller, make_version: Maker) -> None:
    version, client = make_version(), api("trainer")
    put(client, version, safetensors(b"one"))
    put(client, version, safetensors(b"two"))

    assert [p for p in kept_files() if p.parent.name == "quarantine"] == []
