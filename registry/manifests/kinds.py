"""What kinds of manifest there are, and what each can be asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.module_loading import import_string

from registry.serializers import StrictSerializer

API_VERSION = "assay/v1"

Values = Mapping[str, Any]  # validated, metadata and spec together


class Of(StrEnum):
    """What a manifest is about: there is at most one of a kind about each."""

    FAMILY = "family"  # addressed by name
    VERSION = "version"  # addressed by model_id


@dataclass(frozen=True, slots=True)
class Body:
    """What one manifest says: who it is about, what users declare, what the registry found."""

    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    def now(self, field: str) -> Any:
        """What is in force; for a wish that is what has been reached."""
        for part in (self.metadata, self.spec, self.status):
            if field in part:
                return part[field]
        return None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of manifest: how it is checked, read from the registry, and applied by verbs."""

    name: str
    of: Of
    schema: Path
    metadata: tuple[str, ...]  # its fields there; the first addresses what it is about
    serializer: type[StrictSerializer]  # of metadata and spec together
    fixed: Mapping[str, str]  # fields that never change once they are there, and why
    file: Callable[[Body], str]  # below the root of the tree
    current: Callable[[Sequence[str]], dict[str, Body]]  # of many, in few queries
    create: Callable[[Sequence[Values], User], None]  # all of them, or none
    change: Callable[[Values, frozenset[str], User], None]  # the fields that differ
    agrees: Callable[[str, Any, Body], bool]  # whether a field declared so changes nothing

    def document(self, body: Body) -> dict[str, Any]:
        """The manifest, as it is written."""
        return {
            "apiVersion": API_VERSION,
            "kind": self.name,
            "metadata": body.metadata,
            "spec": body.spec,
            "status": body.status,
        }


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by name: the registry's own and those the apps above it add."""
    return {kind.name: kind for kind in map(import_string, settings.ASSAY_MANIFEST_KINDS)}


def about(of: Of) -> list[Kind]:
    """The kinds about families, or about versions."""
    return [kind for kind in kinds().values() if kind.of == of]


def same(field: str, value: Any, body: Body) -> bool:
    """Whether a field has the value already; alike as JSON, where true is not 1 nor 1 1.0."""
    return json.dumps(plain(value), sort_keys=True) == json.dumps(body.now(field), sort_keys=True)


def plain(value: Any) -> Any:
    """A validated value as manifests write it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, StrEnum):
        return str(value)
    return value
