"""From a file to a manifest that is whole and valid by itself; asks nothing of the database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rest_framework import serializers

from registry.errors import FieldError, InvalidInput
from registry.manifests import kinds, loading, naming
from registry.manifests.kinds import API_VERSION, Kind, Values
from registry.manifests.refusals import Fault, ManifestRefused

PARTS = ("apiVersion", "kind", "metadata", "spec", "status")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one file declares, checked field by field."""

    path: Path
    kind: Kind
    values: Values
    loaded: loading.Loaded

    @property
    def key(self) -> str:
        """What it is about: a model_id, or the name of a registered model."""
        return str(self.values[self.kind.metadata[0]])

    def fault(self, field: str, sentence: str) -> Fault:
        """What is wrong with a field, given as ``number`` or ``metadata/threshold``."""
        return _fault(self.loaded, self.kind, field, sentence)


def files(folder: Path) -> Iterator[Path]:
    """The YAML files below ``folder``, in the order in which they are applied.

    One folder's names are held at a time; what begins with a dot is left alone.
    """
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: naming.order(entry.name))
    for entry in listed:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files(Path(entry.path))
        elif entry.name.endswith((".yaml", ".yml")):
            yield Path(entry.path)


def read(path: Path) -> Manifest:
    """Read one manifest.

    Raises:
        ManifestRefused: Something is wrong with it; file and line are named.
    """
    loaded = loading.load(_content(path), file=str(path))
    kind = _kind(loaded)
    for part in ("metadata", "spec"):
        if not isinstance(loaded.value.get(part), dict):
            raise loaded.refusal((part,), "Give a mapping.")
    return Manifest(path, kind, _values(loaded, kind), loaded)


def _content(path: Path) -> bytes:
    if not path.is_file():  # a pipe would be waited for
        raise ManifestRefused.at(str(path), 1, "It is no file.")
    try:
        with path.open("rb") as file:
            return file.read(loading.MAX_BYTES + 1)
    except OSError as error:
        raise ManifestRefused.at(str(path), 1, f"It cannot be read: {error.strerror}.") from error


def _kind(loaded: loading.Loaded) -> Kind:
    for part in loaded.value:
        if part not in PARTS:
            raise loaded.refusal((part,), f"There is no such part; parts are {', '.join(PARTS)}.")
    if loaded.value.get("apiVersion") != API_VERSION:
        raise loaded.refusal(("apiVersion",), f"Give {API_VERSION}.")
    known = kinds.kinds()
    name = loaded.value.get("kind")
    if not isinstance(name, str) or name not in known:
        raise loaded.refusal(("kind",), f"There is no such kind; kinds are {', '.join(known)}.")
    return known[name]


def _values(loaded: loading.Loaded, kind: Kind) -> dict[str, Any]:
    """Metadata and spec, checked by the rules that hold for the API too."""
    metadata, spec = loaded.value["metadata"], loaded.value["spec"]
    _check_places(loaded, kind, metadata, spec)
    try:
        values: dict[str, Any] = _serializer(kind.serializer).run_validation({**metadata, **spec})
    except serializers.ValidationError as error:
        found = list(_flat(error.detail))
        raise ManifestRefused([_fault(loaded, kind, *one) for one in found]) from error
    except InvalidInput as error:
        raise ManifestRefused(faults(loaded, kind, error.errors)) from error
    return values


def faults(loaded: loading.Loaded, kind: Kind, errors: tuple[FieldError, ...]) -> list[Fault]:
    """What was said of fields, with the lines where they stand."""
    return [_fault(loaded, kind, e.pointer.removeprefix("/"), e.detail) for e in errors]


@cache
def _serializer(of: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One for all manifests: making one takes longer than using it."""
    return of()


def _check_places(
    loaded: loading.Loaded, kind: Kind, metadata: Mapping[str, Any], spec: Mapping[str, Any]
) -> None:
    for name in metadata:
        if name not in kind.metadata:
            raise loaded.refusal(
                ("metadata", name), f"Only {', '.join(kind.metadata)} stand under metadata."
            )
    for name in spec:
        if name in kind.metadata:
            raise loaded.refusal(("spec", name), "It stands under metadata.")


def _fault(loaded: loading.Loaded, kind: Kind, field: str, sentence: str) -> Fault:
    first, *rest = field.split("/")
    path = ("metadata" if first in kind.metadata else "spec", first, *rest)
    value = loaded.value.get(path[0], {}).get(first)
    if sentence == "Give a string." and isinstance(value, int | float):
        sentence = "Give a string: put it in quotes."
    return Fault(loaded.file, loaded.line(path), f"{'.'.join(path)}: {sentence}")


def _flat(detail: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Field and sentence of each error, as REST framework nests them."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, f"{field}/{name}" if field else str(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, field)
    else:
        yield field, str(detail)
