"""What a gate evaluation's results say to reviewers. Pure: stored results in, facts out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["pass", "fail", "unknown", "not_applicable"]
Results = Mapping[str, Any] | None  # None: there is no finished gate evaluation

NOT_MEASURED = "No gate evaluation has measured how groups of people are treated."


@dataclass(frozen=True, slots=True)
class Bias:
    """How differently groups of people are treated, and on what grounds that is said."""

    verdict: Verdict
    reasons: tuple[str, ...]
    measured: bool

    @property
    def summary(self) -> str:
        """The first reason, and how many more there are."""
        first, more = " ".join(self.reasons[:1]), len(self.reasons) - 1
        if more < 1:
            return first
        return f"{first} {more} more finding{'s' if more > 1 else ''} like this."


def bias(results: Results) -> Bias:
    """The overall verdict on bias; unknown where no group was compared."""
    found = (results or {}).get("bias")
    if found is None:
        return Bias("unknown", (NOT_MEASURED,), measured=False)
    return Bias(found["verdict"], tuple(found["reasons"]), measured=bool(found["sections"]))


def metrics(results: Results) -> dict[str, float]:
    """Measured figures by name, without error bounds and what is undefined on this data set."""
    figures = (results or {}).get("metrics", {}).get("figures", {})
    named = {name: value for name, value in figures.items() if not name.endswith("_error_bound")}
    return {name: value for name, value in named.items() if value is not None}


def unmonitored_features(results: Results) -> list[str]:
    """Features whose drift cannot be told from their own noise."""
    return list((results or {}).get("unmonitored_features", ()))
