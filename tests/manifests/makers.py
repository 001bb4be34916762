"""Trees of manifests: written by hand, exported, and compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from registry.manifests import exporting, importing

STATUS = re.compile(rb"^status:\n(?:^ .*\n|^\n)*", re.MULTILINE)


def exported(folder: Path) -> dict[str, bytes]:
    """Export the registry; every file by its name."""
    exporting.export(folder, progress=print)
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Every manifest below a folder, by its name."""
    files = sorted(folder.rglob("*.yaml"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def declared(tree: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files without what the registry found: metadata and spec, to the byte."""
    return {name: STATUS.sub(b"", content) for name, content in tree.items()}


def imported(folder: Path, user: User, **options: Any) -> list[str]:
    """Import a tree; the lines it told."""
    told: list[str] = []
    importing.apply(folder, user=user, tell=told.append, progress=print, **options)
    return told
