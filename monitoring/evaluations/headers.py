"""The header of a safetensors file, read without loading a tensor or a library."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.evaluations.refusals import NotMeasurable

LARGEST = 100_000_000  # bytes, the format's own limit
BYTES = {"F32": 4, "I64": 8}  # of one element, of the types that are used here
TRAPS = {
    b"\x80": "a pickle",
    b"PK": "a zip archive (torch.save, skops or npz)",
    b"\x89HDF": "HDF5",
    b"\x93NUMPY": "npy",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """What the header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


@dataclass(frozen=True, slots=True)
class Header:
    """The tensors of a file and what its maker wrote beside them."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]

    def described(self, key: str) -> Any:
        """The JSON that the metadata holds under ``key``; None where it holds none.

        Raises:
            NotMeasurable: It is no JSON.
        """
        if key not in self.metadata:
            return None
        try:
            return json.loads(self.metadata[key])
        except (ValueError, RecursionError) as error:
            raise NotMeasurable(f"The metadata {key} is no JSON: {error}.") from error


def read(path: Path) -> Header:
    """Read the header.

    Raises:
        NotMeasurable: It is no safetensors file; what it is, and what to do, is in the message.
    """
    with path.open("rb") as file:
        head = file.read(8)
        length = int.from_bytes(head, "little")
        if len(head) < 8 or not 2 <= length <= min(LARGEST, path.stat().st_size - 8):
            raise _no_safetensors(head)
        content = file.read(length)
    try:
        header = json.loads(content)
        metadata = {str(key): str(value) for key, value in header.pop("__metadata__", {}).items()}
        tensors = {name: _tensor(entry) for name, entry in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _no_safetensors(head) from error
    return Header(tensors, metadata)


def _tensor(entry: Mapping[str, Any]) -> Tensor:
    tensor = Tensor(entry["dtype"], tuple(entry["shape"]))
    start, end = entry["data_offsets"]
    if tensor.dtype in BYTES and end - start != BYTES[tensor.dtype] * math.prod(tensor.shape):
        raise ValueError(f"{tensor} does not fill its {end - start} bytes")
    return tensor


def _no_safetensors(head: bytes) -> NotMeasurable:
    kind = next((name for magic, name in TRAPS.items() if head.startswith(magic)), "something else")
    return NotMeasurable(
        f"This is no safetensors file but {kind}. Only safetensors is loaded, because opening a "
        "pickle runs whatever its author put into it. Save the weights with "
        "safetensors.torch.save_file and upload that."
    )
