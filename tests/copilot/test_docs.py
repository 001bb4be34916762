"""docs/copilot.md has the grammar that is in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.copilot import grammar

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "copilot.md").read_text()


def section(intent: grammar.Intent, phrases: list[str]) -> str:
    """One intent's phrases as the page shows them."""
    return "\n".join([f"### {intent.replace('_', ' ')}", "", *(f"- `{text}`" for text in phrases)])


@pytest.mark.parametrize(("intent", "phrases"), list(grammar.table()))
def test_the_page_has_every_phrase(intent: grammar.Intent, phrases: list[str]) -> None:
    assert section(intent, phrases) in TEXT, f"docs/copilot.md lacks:\n{section(intent, phrases)}"
