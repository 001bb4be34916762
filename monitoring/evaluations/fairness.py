"""Group fairness: how differently a model treats groups, and whether that is within bounds. Pure.

A verdict is ``pass``, ``fail`` or ``unknown``; too little data is never ``pass``. An interval
decides, not an estimate: fail where it lies wholly outside the bound, pass where wholly inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.divergence import Counts
from monitoring.evaluations import intervals
from monitoring.evaluations.cells import FN, FP, TN, TP, Cells
from monitoring.evaluations.intervals import Interval

ALL = (TN, FP, FN, TP)
RATES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {  # cells above, cells below
    "selection_rate": ((FP, TP), ALL),
    "tpr": ((TP,), (FN, TP)),
    "fpr": ((FP,), (TN, FP)),
    "tnr": ((TN,), (TN, FP)),
    "fnr": ((FN,), (FN, TP)),
    "precision": ((TP,), (FP, TP)),
    "accuracy": ((TN, TP), ALL),
    "base_rate": ((FN, TP), ALL),
}
GAPS = {
    "demographic_parity": ("selection_rate",),
    "equal_opportunity": ("tpr",),
    "equalized_odds": ("tpr", "fpr"),  # the greater of both
    "predictive_parity": ("precision",),
    "accuracy": ("accuracy",),
}


class Verdict(StrEnum):
    """What the figures say, from good to bad."""

    PASS = "pass"
    UNKNOWN = "unknown"
    FAIL = "fail"


WHERE = {
    Verdict.PASS: "lies wholly above",
    Verdict.UNKNOWN: "contains",
    Verdict.FAIL: "lies wholly below",
}
ORDER = (Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL)


@dataclass(frozen=True)
class Policy:
    """What is shown, what gates, and where the bound lies."""

    shown_rows: int = 30  # a smaller group is not shown by itself
    gating_rows: int = 100  # a smaller group is shown and does not gate
    min_impact_ratio: float = 0.8  # the four-fifths rule
    draws: int = 1000  # of the bootstrap


@dataclass(frozen=True)
class ImpactRatio(Interval):
    """Selection rate of a group over that of the best group."""

    verdict: Verdict | None  # None: the group is too small to gate


@dataclass(frozen=True)
class Group:
    """How one group is treated; a rate without a denominator is None."""

    key: str
    label: str
    rows: int
    gates: bool
    rates: dict[str, Interval | None]
    impact_ratio: ImpactRatio | None  # None: this is the best group, or nobody is chosen in it


@dataclass(frozen=True)
class Section:
    """One attribute, or the intersection of two."""

    attributes: tuple[str, ...]
    verdict: Verdict
    reasons: tuple[str, ...]
    reference: str | None  # key of the best gating group
    groups: tuple[Group, ...]
    set_aside: tuple[str, ...]  # labels of groups too small to be shown
    set_aside_rows: int
    undefined: tuple[str, ...]
    gaps: dict[str, Interval | None]


@dataclass(frozen=True)
class BiasReport:
    """The whole judgement; its verdict is the worst of its sections."""

    favourable_label: str
    verdict: Verdict
    reasons: tuple[str, ...]
    sections: tuple[Section, ...]
    policy: Policy

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return asdict(self)


def assess(
    cells: Cells | None,
    *,
    favourable_label: str,
    names: Mapping[str, Mapping[int, str]],
    policy: Policy = Policy(),
    seed: int = 0,
) -> BiasReport:
    """Judge every attribute and every intersection of two.

    Args:
        cells: Counted with the favourable label as the positive one; None: no attribute was
            declared, which is unknown and never passes.
        favourable_label: What it is called in the sentences.
        names: What the codes of an attribute mean.
    """
    if cells is None:
        return BiasReport(
            favourable_label, Verdict.UNKNOWN, ("No protected attribute was declared.",), (), policy
        )
    judge = _Judge(names, favourable_label, policy, seed)
    sections = tuple(judge.section(cells.by(which)) for which in marginals(cells.attributes))
    worst = max((section.verdict for section in sections), key=ORDER.index)
    reasons = [reason for s in sections if s.verdict == worst for reason in s.reasons]
    return BiasReport(favourable_label, worst, tuple(reasons), sections, policy)


def marginals(attributes: Sequence[str]) -> list[tuple[str, ...]]:
    """Each attribute, then each pair."""
    return [(attribute,) for attribute in attributes] + list(combinations(attributes, 2))


def rate(counts: Counts, name: str) -> tuple[Counts, Counts]:
    """Numerator and denominator of a rate, for each group of ``counts`` [..., tn fp fn tp]."""
    above, below = RATES[name]
    return counts[..., list(above)].sum(axis=-1), counts[..., list(below)].sum(axis=-1)


def gap(counts: Counts, name: str, *, draws: int, seed: int) -> Interval | None:
    """A gap between the groups of ``counts`` with its bootstrap interval.

    Returns:
        None where fewer than two groups have a denominator.
    """
    rates = GAPS[name]
    if any(np.count_nonzero(rate(counts, r)[1]) < 2 for r in rates):
        return None
    drawn = intervals.resample(counts, draws=draws, seed=seed)
    tables = np.concatenate([counts[np.newaxis], drawn])
    gaps = np.max([intervals.gap(*rate(tables, r)) for r in rates], axis=0)
    return intervals.percentile(float(gaps[0]), gaps[1:])


@dataclass(frozen=True)
class _Judge:
    names: Mapping[str, Mapping[int, str]]
    favourable_label: str
    policy: Policy
    seed: int

    def section(self, cells: Cells) -> Section:
        gating = cells.rows >= self.policy.gating_rows
        shown = cells.rows >= self.policy.shown_rows
        best = _best(cells.counts, gating)
        groups = tuple(self._group(cells, at, best) for at in np.flatnonzero(shown).tolist())
        verdict, reasons = self._verdict(cells, groups, best)
        return Section(
            attributes=cells.attributes,
            verdict=verdict,
            reasons=reasons,
            reference=None if best is None else _key(cells, best),
            groups=groups,
            set_aside=tuple(self._label(cells, at) for at in np.flatnonzero(~shown).tolist()),
            set_aside_rows=int(cells.rows[~shown].sum()),
            undefined=tuple(
                f"{name} of {group.label}: no row to measure it on"
                for group in groups
                for name, found in group.rates.items()
                if found is None
            ),
            gaps={
                name: gap(cells.counts[gating], name, draws=self.policy.draws, seed=self.seed)
                for name in GAPS
            },
        )

    def _group(self, cells: Cells, at: int, best: int | None) -> Group:
        rows = int(cells.rows[at])
        gates = rows >= self.policy.gating_rows
        compared = None
        if best is not None and at != best:
            compared = self._impact_ratio(cells.counts[at], cells.counts[best], gates=gates)
        rates = {name: rate_interval(cells.counts[at], name) for name in RATES}
        return Group(_key(cells, at), self._label(cells, at), rows, gates, rates, compared)

    def _impact_ratio(self, counts: Counts, best: Counts, *, gates: bool) -> ImpactRatio | None:
        hits, rows = (int(part) for part in rate(counts, "selection_rate"))
        best_hits, best_rows = (int(part) for part in rate(best, "selection_rate"))
        found = intervals.ratio(hits, rows, best_hits, best_rows)
        if found is None:
            return None
        verdict = verdict_of(found, self.policy.min_impact_ratio) if gates else None
        return ImpactRatio(**asdict(found), verdict=verdict)

    def _verdict(
        self, cells: Cells, groups: Sequence[Group], best: int | None
    ) -> tuple[Verdict, tuple[str, ...]]:
        """The worst verdict of a gating group, and the sentences that explain it."""
        title = " × ".join(cells.attributes)
        if best is None or sum(group.gates for group in groups) < 2:
            few = f"fewer than two groups have {self.policy.gating_rows} rows"
            return Verdict.UNKNOWN, (f"{title}: {few}, so nothing can be compared.",)
        judged = [
            (group, group.impact_ratio, group.impact_ratio.verdict)
            for group in groups
            if group.impact_ratio is not None and group.impact_ratio.verdict is not None
        ]
        if not judged:
            nobody = f"“{self.favourable_label}” is predicted for nobody"
            return Verdict.UNKNOWN, (f"{title}: {nobody}, so no ratio is defined.",)
        judged.sort(key=lambda one: one[1].value)
        worst = max((verdict for _, _, verdict in judged), key=ORDER.index)
        named = [(group, ratio) for group, ratio, verdict in judged if verdict is worst]
        if worst is Verdict.PASS:
            named = named[:1]
        reference = self._label(cells, best)
        return worst, tuple(self._sentence(g, ratio, reference, worst) for g, ratio in named)

    def _sentence(self, group: Group, ratio: Interval, reference: str, verdict: Verdict) -> str:
        return (
            f"{group.label} is predicted “{self.favourable_label}” at {ratio.value:.3f} times the "
            f"rate of {reference}; the 95 % interval {ratio.lower:.3f}–{ratio.upper:.3f} "
            f"{WHERE[verdict]} the bound {self.policy.min_impact_ratio:g}."
        )

    def _label(self, cells: Cells, at: int) -> str:
        """The group as sentences name it: each attribute, its code, what the code means."""
        parts = []
        for attribute, code in zip(cells.attributes, cells.keys[at].tolist(), strict=True):
            meaning = self.names.get(attribute, {}).get(code)
            parts.append(f"{attribute} {code}" + (f" ({meaning})" if meaning else ""))
        return " × ".join(parts)


def verdict_of(ratio: Interval, bound: float) -> Verdict:
    """Where the interval of an impact ratio lies."""
    if ratio.upper < bound:
        return Verdict.FAIL
    return Verdict.PASS if ratio.lower >= bound else Verdict.UNKNOWN


def rate_interval(counts: Counts, name: str) -> Interval | None:
    """A rate of one group with its Wilson interval; None where nothing can be counted."""
    hits, rows = (int(part) for part in rate(counts, name))
    return intervals.wilson(hits, rows) if rows else None


def _best(counts: Counts, gating: npt.NDArray[np.bool_]) -> int | None:
    """The gating group with the highest selection rate, the first of equals."""
    if not gating.any():
        return None
    chosen, rows = rate(counts, "selection_rate")
    return int(np.argmax(np.where(gating, chosen / np.maximum(rows, 1), -1.0)))


def _key(cells: Cells, at: int) -> str:
    return "|".join(str(code) for code in cells.keys[at].tolist())
