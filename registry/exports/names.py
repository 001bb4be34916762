"""Names that clusters and gateways take, made of names that people chose. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from registry.exports.desired import Desired, Inexpressible

LONGEST = 63
DIGITS = 10  # of the digest; 40 bits
LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")  # RFC 1035, as names of Services must be
DIGESTED = re.compile(rf".*-[0-9a-f]{{{DIGITS}}}")
FALLBACK = "-fallback"


def label(name: str, *, room: int = LONGEST) -> str:
    """A DNS label for ``name``: itself where it is one, else readable with a digest behind it.

    The same for the same name. What looks as if it ended in a digest gets one too, so that no
    name can be chosen to be another's label.
    """
    if LABEL.fullmatch(name) and len(name) <= room and not DIGESTED.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:DIGITS]
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not readable[:1].isalpha():
        readable = f"m-{readable}".rstrip("-")
    return f"{readable[: room - DIGITS - 1].rstrip('-')}-{digest}"


def labels(model_ids: Iterable[str]) -> dict[str, str]:
    """The label of each.

    Raises:
        Inexpressible: Two would have the same.
    """
    found: dict[str, str] = {}
    owners: dict[str, str] = {}
    for model_id in model_ids:
        found[model_id] = label(model_id)
        other = owners.setdefault(found[model_id], model_id)
        if other != model_id:
            raise Inexpressible(f"{other} and {model_id} would both be called {found[model_id]}.")
    return found


def fallback(family: str) -> str:
    """What answers where no version does: the caller's own, by this name."""
    return label(family, room=LONGEST - len(FALLBACK)) + FALLBACK


def backends(desired: Desired) -> dict[str, int]:
    """Basis points by label, of all that answer; together 10,000.

    What has no share is left out. The rest, where there is one, is the fallback's.

    Raises:
        Inexpressible: Two would have the same label.
    """
    given = {share.model_id: share.basis_points for share in desired.shares if share.basis_points}
    called = labels(given)
    found = {called[model_id]: points for model_id, points in given.items()}
    if desired.rest:
        spare = fallback(desired.family)
        if spare in found:
            raise Inexpressible(f"A version and the fallback would both be called {spare}.")
        found[spare] = desired.rest
    return found
