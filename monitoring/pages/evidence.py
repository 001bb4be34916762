"""Evaluations as people read them: measured figures, and how groups are treated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.bars import interval_bar
from monitoring.evaluations import conditions
from monitoring.models import Evaluation
from registry.models import ModelVersion

SHOWN = 10  # evaluations of one version
VISIBLE = 0.0005  # of a figure shown with three or four digits
RATIOS = (0.4, 1.2)  # the stretch of impact ratios that is drawn
BOUND = 0.8  # of the impact ratio, where a stored result does not say
PRIMARY = ("accuracy", "balanced_accuracy", "auroc", "f1", "precision", "recall", "ece", "log_loss")


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure beside the one the trainer declared."""

    name: str
    measured: float | None
    declared: float | None
    error_bound: float | None
    why_undefined: str

    @property
    def shows_bound(self) -> bool:
        """Whether the error the histogram may cause reaches the digits that are shown."""
        return (self.error_bound or 0) >= VISIBLE


@dataclass(frozen=True, slots=True)
class Group:
    """How one group fares, beside the best one."""

    label: str
    rows: int
    gates: bool
    is_reference: bool
    selection_rate: Mapping[str, float] | None
    ratio: Mapping[str, Any] | None
    bar: str  # SVG of the ratio's interval against the bound


@dataclass(frozen=True, slots=True)
class Section:
    """One protected attribute, or the intersection of two."""

    title: str
    verdict: str
    reasons: list[str]
    groups: list[Group]
    set_aside: list[str]  # too small to be shown by themselves
    set_aside_rows: int


@dataclass(frozen=True, slots=True)
class Report:
    """One finished evaluation, taken apart for the page."""

    evaluation: Evaluation
    metrics: list[Metric]
    verdict: str  # on bias
    reasons: list[str]
    favourable_label: str
    bound: float
    sections: list[Section]
    conditions: list[str]  # where and with what it was measured, and whether memory ran out


@dataclass(frozen=True, slots=True)
class Evidence:
    """A version's evaluations, newest first, and the newest finished one in full."""

    evaluations: list[Evaluation]
    report: Report | None


def evidence(version: ModelVersion) -> Evidence:
    """What was measured of the version; a gate evaluation comes before a scheduled one."""
    found = list(version.evaluations.select_related("dataset").defer("results")[:SHOWN])
    done = version.evaluations.select_related("dataset").filter(state="done")
    newest = done.order_by("kind", "-finished_at").first()  # "gate" sorts before "scheduled"
    return Evidence(found, report(newest, version.evaluation_metrics) if newest else None)


def report(evaluation: Evaluation, declared: Mapping[str, float]) -> Report:
    """A finished evaluation's results, figure by figure."""
    results = evaluation.results or {}
    bias = results.get("bias") or {}
    bound = (bias.get("policy") or {}).get("min_impact_ratio", BOUND)
    return Report(
        evaluation=evaluation,
        metrics=_metrics(results.get("metrics") or {}, declared),
        verdict=bias.get("verdict", ""),
        reasons=list(bias.get("reasons", ())),
        favourable_label=bias.get("favourable_label", ""),
        bound=bound,
        sections=[_section(section, bound) for section in bias.get("sections", ())],
        conditions=conditions.sentences(results),
    )


def _metrics(measured: Mapping[str, Any], declared: Mapping[str, float]) -> list[Metric]:
    figures = measured.get("figures") or {}
    undefined = measured.get("undefined") or {}
    names = [name for name in PRIMARY if name in figures]
    names += [n for n in figures if n not in names and not n.endswith("_error_bound")]
    names += [name for name in declared if name not in names]
    return [
        Metric(
            name=name.replace("_", " "),
            measured=figures.get(name),
            declared=declared.get(name),
            error_bound=figures.get(f"{name}_error_bound") or None,
            why_undefined=undefined.get(name, ""),
        )
        for name in names
    ]


def _section(section: Mapping[str, Any], bound: float) -> Section:
    return Section(
        title=" × ".join(section["attributes"]),
        verdict=section["verdict"],
        reasons=list(section["reasons"]),
        groups=[_group(group, section["reference"], bound) for group in section["groups"]],
        set_aside=list(section["set_aside"]),
        set_aside_rows=section["set_aside_rows"],
    )


def _group(group: Mapping[str, Any], reference: str | None, bound: float) -> Group:
    ratio = group["impact_ratio"]
    bar = ""
    if ratio is not None:
        bar = interval_bar(ratio["value"], ratio["lower"], ratio["upper"], bound=bound, span=RATIOS)
    return Group(
        label=group["label"],
        rows=group["rows"],
        gates=group["gates"],
        is_reference=group["key"] == reference,
        selection_rate=group["rates"].get("selection_rate"),
        ratio=ratio,
        bar=bar,
    )
