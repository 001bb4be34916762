"""Safetensors headers: what is refused and what the refusal says."""

from __future__ import annotations

import json
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.evaluations import headers
from monitoring.evaluations.headers import Tensor
from monitoring.evaluations.refusals import NotMeasurable
from tests.evaluations import files


class Trap:
    """What it leaves behind tells whether somebody opened the pickle."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.mark), "w")


def raw(path: Path, header: bytes, body: bytes = b"") -> Path:
    path.write_bytes(len(header).to_bytes(8, "little") + header + body)
    return path


def test_a_header_tells_tensors_and_metadata(tmp_path: Path) -> None:
    header = headers.read(files.dataset_file(tmp_path / "data", rows=7))

    assert header.tensors["features"] == Tensor("F32", (7, 3))
    assert str(header.tensors["labels"]) == "I64 [7]"
    assert header.described("assay.dataset")["classes"] == ["not employed", "employed"]
    assert header.described("assay.other") is None


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_unopened_with_the_reason_and_the_remedy(
    tmp_path: Path, protocol: int
) -> None:
    mark, path = tmp_path / "opened", tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Trap(mark), protocol))

    with pytest.raises(NotMeasurable) as refusal:
        headers.read(path)

    assert "no safetensors file but a pickle" in str(refusal.value)
    assert "runs whatever its author put into it" in str(refusal.value)
    assert "safetensors.torch.save_file" in str(refusal.value)
    assert refusal.value.status == 422
    assert not mark.exists()


def test_a_torch_archive_is_called_by_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("data.pkl", b"\x80\x02.")

    with pytest.raises(NotMeasurable, match="a zip archive"):
        headers.read(tmp_path / "model.pt")


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"a": 1}',
        b'{"a": {"dtype": "F32"}}',
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": ["2"], "data_offsets": [0, 8]}}',
        b'{"a": {"dtype": "F32", "shape": 2, "data_offsets": [0, 8]}}',
        b'{"__metadata__": []}',
        b'{"a":' * 100_000,
    ],
    ids=lambda header: header[:40].decode(errors="replace"),
)
def test_a_broken_header_is_refused(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(NotMeasurable, match="no safetensors file"):
        headers.read(raw(tmp_path / "broken", header, bytes(8)))


@pytest.mark.parametrize("length", [0, 1, 10**6, 2**63])
def test_a_header_longer_than_its_file_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "broken"
    path.write_bytes(length.to_bytes(8, "little") + b"{}")

    with pytest.raises(NotMeasurable):
        headers.read(path)


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)

    with suppress(NotMeasurable):
        assert isinstance(headers.read(path).tensors, dict)


def test_metadata_that_is_no_json_is_refused_by_name(tmp_path: Path) -> None:
    header = json.dumps({"__metadata__": {"assay.dataset": "{"}}).encode()

    with pytest.raises(NotMeasurable, match="The metadata assay.dataset is no JSON"):
        headers.read(raw(tmp_path / "data", header)).described("assay.dataset")
