"""Text search by word prefixes; needs no PostgreSQL extension."""

from __future__ import annotations

import re

from django.contrib.postgres.search import SearchQuery

WORD = re.compile(r"[^\W_]+")  # underscores part words, as PostgreSQL's parser has it


def prefix_query(text: str) -> SearchQuery | None:
    """A query that wants every word of ``text`` to begin some word; None where it has no word."""
    words = WORD.findall(text.lower())
    if not words:
        return None
    return SearchQuery(
        " & ".join(f"{word}:*" for word in words), config="simple", search_type="raw"
    )
