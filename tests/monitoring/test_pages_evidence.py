"""Evaluations are shown figure by figure, measured beside declared, groups with their intervals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from monitoring.models import Evaluation
from monitoring.pages import evidence
from registry.models import Artifact, DataSet, ModelVersion
from tests.conftest import NOW

Maker = Callable[..., ModelVersion]
SHA = "a" * 64


def interval(value: float, lower: float, upper: float) -> dict[str, float]:
    return {"value": value, "lower": lower, "upper": upper}


def group(
    key: str, rows: int, ratio: dict[str, Any] | None, *, gates: bool = True
) -> dict[str, Any]:
    return {
        "key": key,
        "label": f"SEX {key}",
        "rows": rows,
        "gates": gates,
        "rates": {"selection_rate": interval(0.5, 0.4, 0.6)},
        "impact_ratio": ratio,
    }


RESULTS = {
    "metrics": {
        "figures": {
            "log_loss": 0.4,
            "accuracy": 0.82,
            "accuracy_error_bound": 0.00001,
            "auroc": 0.9,
            "auroc_error_bound": 0.002,
            "mcc": None,
        },
        "undefined": {"mcc": "predictions are all of one class"},
    },
    "bias": {
        "verdict": "fail",
        "reasons": ["SEX 2 is predicted …"],
        "favourable_label": "employed",
        "policy": {"min_impact_ratio": 0.8},
        "sections": [
            {
                "attributes": ["SEX", "RAC1P"],
                "verdict": "fail",
                "reasons": [],
                "reference": "1",
                "groups": [
                    group("1", 900, None),
                    group("2", 300, interval(0.689, 0.65, 0.731) | {"verdict": "fail"}),
                    group("3", 40, interval(0.9, 0.5, 1.4) | {"verdict": None}, gates=False),
                ],
                "set_aside": ["SEX 9"],
                "set_aside_rows": 4,
            }
        ],
    },
}


@pytest.fixture
def measure(make_version: Maker) -> Callable[..., Evaluation]:
    """Keep a finished evaluation of one version."""
    version = make_version()
    artifact = Artifact.objects.create(sha256=SHA, size=1, format="safetensors", detected="")
    dataset = DataSet.objects.create(
        name="employment_2016", artifact=artifact, uploaded_by="user:1"
    )

    def make(**fields: Any) -> Evaluation:
        defaults: dict[str, Any] = {
            "version": version,
            "artifact_sha256": SHA,
            "dataset": dataset,
            "dataset_sha256": SHA,
            "kind": "gate",
            "requested_by": "user:1",
            "state": "done",
            "finished_at": NOW,
            "results": RESULTS,
            "evidence_digest": SHA,
        }
        return Evaluation.objects.create(**defaults | fields)

    return make


def report(declared: dict[str, float] | None = None) -> evidence.Report:
    return evidence.report(Evaluation(results=RESULTS), declared or {})


def test_measured_figures_stand_beside_declared_ones_the_common_ones_first() -> None:
    metrics = report({"accuracy": 0.96, "profit": 3.0}).metrics

    assert [(m.name, m.measured, m.declared) for m in metrics] == [
        ("accuracy", 0.82, 0.96),
        ("auroc", 0.9, None),
        ("log loss", 0.4, None),
        ("mcc", None, None),
        ("profit", None, 3.0),
    ]


def test_an_undefined_figure_says_why_and_is_not_zero() -> None:
    undefined = report().metrics[3]

    assert undefined.measured is None
    assert undefined.why_undefined == "predictions are all of one class"


def test_an_error_bound_is_shown_only_where_it_reaches_the_digits_shown() -> None:
    accuracy, auroc = report().metrics[:2]

    assert (accuracy.shows_bound, auroc.shows_bound) == (False, True)


def test_groups_say_who_is_best_who_gates_and_where_the_interval_lies() -> None:
    (section,) = report().sections
    best, failing, small = section.groups

    assert section.title == "SEX × RAC1P"
    assert (best.is_reference, best.bar) == (True, "")
    assert 'aria-label="0.689, interval 0.650 to 0.731, bound 0.8"' in failing.bar
    assert (small.gates, section.set_aside, section.set_aside_rows) == (False, ["SEX 9"], 4)


def test_results_without_a_bias_part_have_no_verdict_on_it() -> None:
    shown = evidence.report(Evaluation(results={"metrics": {"figures": {}}}), {})

    assert (shown.verdict, shown.sections) == ("", [])


@pytest.mark.django_db
def test_nothing_measured_is_nothing_shown(make_version: Maker) -> None:
    found = evidence.evidence(make_version())

    assert (found.evaluations, found.report) == ([], None)


@pytest.mark.django_db
def test_the_newest_gate_evaluation_is_shown_before_any_scheduled_one(
    measure: Callable[..., Evaluation],
) -> None:
    measure(finished_at=NOW - timedelta(days=2))
    gate = measure(finished_at=NOW - timedelta(days=1))
    measure(kind="scheduled", finished_at=NOW)

    found = evidence.evidence(gate.version)

    assert found.report is not None
    assert found.report.evaluation == gate
    assert len(found.evaluations) == 3
