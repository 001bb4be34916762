"""Which of the known names somebody meant. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

NOISE = re.compile(
    r"^(?:(?:the|our|my|a|an|model|version|named|called) )+| (?:model|version)$", re.IGNORECASE
)
VERSION = re.compile(
    r"^(?P<family>.+?),? (?:version |v\.? ?|#)?(?P<version>v?\d[\w.+-]*)$", re.IGNORECASE
)
VERSION_FIRST = re.compile(
    r"^(?:version )?(?P<version>v?\d[\w.+-]*) of (?P<family>.+)$", re.IGNORECASE
)
FORGIVEN = ((12, 2), (6, 1))  # at so many characters, so many slips
SUGGESTED = 60  # percent alike; below it a suggestion is a guess
MOST = 5  # suggestions


def readings(said: str) -> list[str]:
    """What was said, as it is and without words such as "the" and "model" around it."""
    bare = said
    while (shorter := NOISE.sub("", bare).strip()) != bare and shorter:
        bare = shorter
    return list(dict.fromkeys([said, bare]))


def version_of(said: str) -> tuple[str, str] | None:
    """The name and the version in words such as "fraud detector v2"; None where there are not two."""
    found = VERSION_FIRST.match(said) or VERSION.match(said)
    return (found["family"], found["version"]) if found else None


def slug(name: str) -> str:
    """A name without what people write one way or the other: case, blanks, dashes."""
    return "-".join(re.findall(r"[^\W_]+", name.casefold()))


def alike(said: str, known: Iterable[str]) -> list[str]:
    """The names that differ by a slip or two of the finger; never in a digit.

    All of them, not the nearest: which of two was meant is not ours to say.
    """
    wanted = slug(said)
    slips = next((slips for length, slips in FORGIVEN if len(wanted) >= length), 0)
    digits = re.findall(r"\d+", wanted)
    return [
        name
        for name in known
        if abs(len(other := slug(name)) - len(wanted)) <= slips
        and re.findall(r"\d+", other) == digits
        and OSA.distance(other, wanted, score_cutoff=slips) <= slips
    ]


def suggestions(said: str, known: Sequence[str]) -> list[str]:
    """Names worth asking about where none fits, best first."""
    best = process.extract(
        slug(said), known, scorer=fuzz.WRatio, processor=slug, limit=MOST, score_cutoff=SUGGESTED
    )
    return [name for name, _, _ in best]
