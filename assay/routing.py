"""Which model version answers which request: a pure function of key and traffic document.

A family has 10,000 buckets. A key falls into one by its digest, and each version owns ranges of
buckets, so a user stays with a version until the ranges change, and growing a canary from 10 to
25 % only adds users.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from typing import Any, Self

from assay.awaiting import Settled
from assay.errors import AssayError

BUCKETS = 10_000


def bucket(salt: str, family: str, key: str) -> int:
    """The bucket of ``key``, 0 to 9,999: the digest's first 64 bits as a share of 2^64.

    Multiply and shift: D. Lemire, "Fast random integer generation in an interval", 2019.
    """
    digest = sha256(f"{salt}:{family}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * BUCKETS >> 64


@dataclass(frozen=True)
class Target:
    """A model version that answers requests, and where its bytes are."""

    model_id: str
    artifact_uri: str | None
    sha256: str | None
    basis_points: int  # desired share of requests, in 1/10,000


@dataclass(frozen=True)
class Traffic(Settled):
    """The desired traffic of a family as of ``revision``; what no range holds has no model."""

    family: str
    salt: str
    revision: int
    targets: Sequence[Target]
    ranges: Sequence[tuple[int, int, Target]] = field(repr=False)  # [lo, hi), ascending

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The traffic that a registry's document describes.

        Raises:
            AssayError: It is not one, or gives a bucket to two versions.
        """
        try:
            owners = [(_target(each), each["ranges"]) for each in document["targets"]]
            return cls(
                str(document["family"]),
                str(document["salt"]),
                int(document["revision"]),
                [target for target, _ in owners],
                _disjoint([(lo, hi, target) for target, ranges in owners for lo, hi in ranges]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise AssayError(f"This is no traffic document: {error!r}.") from error

    def target(self, key: str) -> Target | None:
        """The version that answers ``key``; None: the caller's own fallback does."""
        wanted = bucket(self.salt, self.family, key)
        index = bisect_right(self.ranges, wanted, key=lambda owned: owned[0]) - 1
        if index < 0:
            return None
        _, hi, target = self.ranges[index]
        return target if wanted < hi else None


def _target(document: Mapping[str, Any]) -> Target:
    return Target(
        document["model_id"],
        document["artifact_uri"],
        document["sha256"],
        document["basis_points"],
    )


def _disjoint(ranges: Sequence[tuple[int, int, Target]]) -> Sequence[tuple[int, int, Target]]:
    ordered = sorted(ranges, key=lambda owned: owned[0])
    for lo, hi, target in ordered:
        if not 0 <= lo < hi <= BUCKETS:
            raise ValueError(f"{target.model_id} has no range [{lo}, {hi})")
    for (_, ends, one), (starts, _, other) in pairwise(ordered):
        if starts < ends:
            raise ValueError(f"{one.model_id} and {other.model_id} share bucket {starts}")
    return ordered
