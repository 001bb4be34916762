"""The secrets, made as docs/deployment.md has people make them: by the lines of its shell block."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.deployment.dockerfile import ROOT

GUIDE = ROOT / "docs" / "deployment.md"
BLOCK = re.compile(r"^((?:    .*\n|\n)*    mkdir -m 700 secrets\n(?:    .*\n)*)", re.MULTILINE)


def lines() -> str:
    """The lines of the guide that make the secrets."""
    found = BLOCK.search(GUIDE.read_text())
    if found is None:
        raise LookupError("docs/deployment.md has no lines that make the folder secrets.")
    return "\n".join(line.removeprefix("    ") for line in found[1].strip("\n").splitlines())


def make_secrets(place: Path) -> Path:
    """Run those lines in ``place``; the folder they made."""
    subprocess.run(["sh", "-eu", "-c", lines()], cwd=place, check=True)
    return place / "secrets"
