"""Results of gate evaluations in the shape that monitoring stores them."""

from __future__ import annotations

from typing import Any


def results(verdict: str = "pass", **changes: Any) -> dict[str, Any]:
    """Results whose bias verdict is the given one; the rest may be changed by key."""
    return {
        "format": "assay.evaluation/1",
        "rows": 69_126,
        "metrics": {
            "figures": {
                "accuracy": 0.82,
                "auroc": 0.9,
                "auroc_error_bound": 0.0,
                "precision": None,
            },
            "undefined": {"precision": "a class is never predicted"},
        },
        "bias": bias(verdict),
        "unmonitored_features": [],
    } | changes


def bias(verdict: str = "pass") -> dict[str, Any]:
    """A bias report about one attribute with two groups."""
    return {
        "favourable_label": "employed",
        "verdict": verdict,
        "reasons": [REASONS[verdict]],
        "sections": [
            {
                "attributes": ["RAC1P"],
                "verdict": verdict,
                "reasons": [REASONS[verdict]],
                "reference": "1",
                "groups": [
                    group("1", "White alone", 50_000, None, None),
                    group("9", "Two or more", 900, interval(0.689, 0.650, 0.731), verdict),
                ],
                "set_aside": ["Alaska Native alone"],
                "set_aside_rows": 11,
                "undefined": ["fpr of group 9"],
                "gaps": {"demographic_parity": interval(0.15, 0.1, 0.2)},
            }
        ],
        "policy": {"shown_rows": 30, "gating_rows": 100, "min_impact_ratio": 0.8, "draws": 1000},
    }


REASONS = {
    "pass": "Every group's impact ratio is at least 0.8.",
    "fail": "The impact ratio of Two or more is 0.689 (0.650–0.731), wholly below 0.8.",
    "unknown": "The interval of Two or more spans 0.8.",
}


def group(
    key: str, label: str, rows: int, ratio: dict[str, Any] | None, verdict: str | None
) -> dict[str, Any]:
    """One group of a section."""
    judged = None if ratio is None else ratio | {"verdict": verdict}
    return {
        "key": key,
        "label": label,
        "rows": rows,
        "gates": True,
        "rates": {
            "selection_rate": interval(0.5, 0.48, 0.52),
            "tpr": interval(0.8, 0.78, 0.82),
            "fpr": None,
        },
        "impact_ratio": judged,
    }


def interval(value: float, lower: float, upper: float) -> dict[str, Any]:
    """An estimate between its bounds."""
    return {"value": value, "lower": lower, "upper": upper, "method": "wilson"}
