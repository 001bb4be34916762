"""The fenced blocks of a page of Markdown, so that tests run what readers read."""

from __future__ import annotations

from dataclasses import dataclass

FENCE = "```"


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: the heading it stands under, and its text without the fences."""

    heading: str
    language: str  # as fenced; "" where none is named
    text: str


def blocks(text: str) -> list[Block]:
    """Every fenced block of a page, in its order."""
    found: list[Block] = []
    heading, language, lines = "", None, list[str]()
    for line in text.splitlines():
        if line.startswith(FENCE):
            if language is None:
                language, lines = line.removeprefix(FENCE), []
            else:
                found.append(Block(heading, language, "\n".join(lines)))
                language = None
        elif language is not None:
            lines.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    return found
