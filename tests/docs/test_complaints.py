"""Whatever docs/progressive-delivery.md says is shown by a test or a story is one there is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_complaint_is_shown_by_what_there_is() -> None:
    page = (ROOT / "docs" / "progressive-delivery.md").read_text("utf-8")
    section = page.split("## What people complain of elsewhere")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    tests = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    stories = "\n".join(f.read_text("utf-8") for f in (ROOT / "tests/scenarios").glob("*.yaml"))

    named = [re.findall("`([a-z_]+)`", row.split("|")[3]) for row in rows]

    assert len(named) == 8
    assert all(named)
    for name in (name for row in named for name in row):
        assert f"def {name}(" in tests or f"- id: {name}\n" in stories, name
