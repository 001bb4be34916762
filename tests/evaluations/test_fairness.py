"""Group fairness: known answers of Fairlearn and scipy, verdicts and what they say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.divergence import Counts
from monitoring.evaluations import curves, fairness, intervals, metrics
from monitoring.evaluations.cells import FN, FP, TN, TP, Cells
from monitoring.evaluations.fairness import BiasReport, Policy, Verdict
from monitoring.evaluations.intervals import Interval
from tests.evaluations.vectors import CASES, FAIRNESS

DIFFERENCES = {
    "demographic_parity": "demographic_parity_difference",
    "equal_opportunity": "equal_opportunity_difference",
    "equalized_odds": "equalized_odds_difference",
    "predictive_parity": "predictive_parity_difference",
    "accuracy": "accuracy_difference",
}


EXPECTATIONS = [
    pytest.param(expected, id=f"{case}-{part}")
    for case, content in CASES.items()
    for part, expected in content.items()
    if part.startswith("expected") and "by_group" in expected
]


def confusion(expected: dict[str, Any]) -> tuple[list[str], Counts]:
    """The groups and their counts [groups, tn fp fn tp]."""
    groups = sorted(expected["confusion"])
    cells = [[expected["confusion"][g][c] for c in ("tn", "fp", "fn", "tp")] for g in groups]
    return groups, np.array(cells)


def table(*groups: tuple[int, int]) -> Cells:
    """One attribute, its groups given as (rows, chosen); half of each is favoured."""
    counts = np.zeros((len(groups), 4), dtype=np.int64)
    for at, (rows, chosen) in enumerate(groups):
        counts[at, FP], counts[at, TP] = chosen // 2, chosen - chosen // 2
        counts[at, TN], counts[at, FN] = (rows - chosen) // 2, rows - chosen - (rows - chosen) // 2
    return Cells(("race",), np.arange(1, len(groups) + 1)[:, np.newaxis], counts)


def assess(cells: Cells, **options: Any) -> BiasReport:
    return fairness.assess(
        cells, favourable_label="hired", names={"race": {1: "White", 2: "Black"}}, **options
    )


@pytest.mark.parametrize("expected", EXPECTATIONS)
def test_rates_by_group_are_those_of_fairlearn_and_undefined_ones_stay_undefined(
    expected: dict[str, Any],
) -> None:
    for group, counts in zip(*confusion(expected), strict=True):
        known = expected["by_group"][group]
        assert counts.sum() == known["count"]
        for name in ("selection_rate", "tpr", "fpr", "tnr", "fnr", "precision", "accuracy"):
            found = fairness.rate_interval(counts, name)
            _, rows = fairness.rate(counts, name)
            assert (found is None) == (rows == 0)
            assert found is None or found.value == pytest.approx(known[name], abs=1e-6)


@pytest.mark.parametrize("expected", EXPECTATIONS)
def test_overall_rates_are_those_of_fairlearn(expected: dict[str, Any]) -> None:
    _, counts = confusion(expected)

    for name, known in expected["overall"].items():
        if name != "count":
            found = fairness.rate_interval(counts.sum(axis=0), name)
            assert found is not None or known == 0.0  # Fairlearn's 0 for an empty denominator
            assert found is None or found.value == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize("expected", EXPECTATIONS)
def test_wilson_intervals_of_selection_rates_are_those_of_scipy(expected: dict[str, Any]) -> None:
    for group, counts in zip(*confusion(expected), strict=True):
        found = fairness.rate_interval(counts, "selection_rate")
        assert found is not None
        known = expected["selection_rate_wilson95"][group]
        assert [found.lower, found.upper] == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize("expected", EXPECTATIONS)
def test_impact_ratios_and_their_katz_intervals_are_the_known_ones(
    expected: dict[str, Any],
) -> None:
    groups, counts = confusion(expected)
    chosen, rows = fairness.rate(counts, "selection_rate")
    known = expected["impact_ratio_vs_highest_katz95"]
    best = groups.index(known["reference"])

    for at, group in enumerate(groups):
        found = intervals.ratio(int(chosen[at]), int(rows[at]), int(chosen[best]), int(rows[best]))
        if known["ratios"][group] is not None:
            assert found is not None
            assert [found.value, found.lower, found.upper] == pytest.approx(
                known["ratios"][group], abs=1e-6
            )
        elif at != best:  # scipy has no logarithm of 0; we widen by Walter's half
            assert found is None or found.value == 0.0


@pytest.mark.parametrize("expected", EXPECTATIONS)
@pytest.mark.parametrize(("name", "known"), list(DIFFERENCES.items()))
def test_gaps_between_groups_are_those_of_fairlearn(
    expected: dict[str, Any], name: str, known: str
) -> None:
    _, counts = confusion(expected)
    empty = any((fairness.rate(counts, rate)[1] == 0).any() for rate in fairness.GAPS[name])

    found = fairness.gap(counts, name, draws=20, seed=0)

    if empty:  # Fairlearn counts an empty denominator as 0, which can only widen its gap
        assert found is None or found.value <= expected[known] + 1e-9
    else:
        assert found is not None
        assert found.value == pytest.approx(expected[known], abs=1e-6)


def compas(attribute: str) -> tuple[list[str], Cells]:
    """The COMPAS rows as they stand in the vectors, and their cells."""
    rows = CASES["compas_propublica_filter"]["input_strings"]
    letters = sorted(set(rows[attribute]))
    codes = np.array([letters.index(letter) for letter in rows[attribute]])
    label, prediction = (np.array([int(c) for c in rows[k]]) for k in ("y_true", "y_pred"))
    return letters, Cells.of({attribute: codes}, label == 1, prediction == 1)


@pytest.mark.parametrize("attribute", ["race", "sex"])
def test_rows_count_to_the_known_confusion(attribute: str) -> None:
    expected = CASES["compas_propublica_filter"][f"expected_{attribute}"]

    letters, cells = compas(attribute)

    groups, counts = confusion(expected)
    assert letters == groups
    assert np.array_equal(cells.counts, counts)


@pytest.mark.parametrize("case", ["toy20", "empty_denominator", "nobody_selected"])
def test_small_cases_count_to_the_known_confusion(case: str) -> None:
    rows, expected = CASES[case]["input"], CASES[case]["expected"]
    letters, codes = np.unique(rows["group"], return_inverse=True)
    label, prediction = np.array(rows["y_true"]), np.array(rows["y_pred"])

    cells = Cells.of({"group": codes}, label == 1, prediction == 1)

    groups, counts = confusion(expected)
    assert letters.tolist() == groups
    assert np.array_equal(cells.counts, counts)


def test_the_bootstrap_of_cells_agrees_with_that_of_rows() -> None:
    case = CASES["compas_propublica_filter"]

    found = fairness.gap(compas("race")[1].counts, "demographic_parity", draws=4000, seed=20)

    assert found is not None
    known = case["bootstrap_1000_seed20_dp_difference_ci95"]
    assert [found.lower, found.upper] == pytest.approx(known, abs=0.02)


def test_which_label_counts_as_favourable_changes_the_ratio() -> None:
    _, cells = compas("race")
    flagged = Cells(("race",), cells.keys[[0, 2]], cells.counts[[0, 2]])
    spared = Cells(("race",), flagged.keys, flagged.counts[:, [TP, FN, FP, TN]])

    by_label = [assess(counted).sections[0] for counted in (flagged, spared)]

    ratios = [
        group.impact_ratio.value
        for section in by_label
        for group in section.groups
        if group.impact_ratio
    ]
    assert ratios == pytest.approx([0.574513, 0.633646], abs=1e-6)


def test_the_published_rates_of_compas_come_out() -> None:
    for known in CASES["compas_all_7214_published"]["expected"].values():
        counts = np.array([known[cell] for cell in ("tn", "fp", "fn", "tp")])
        for name in ("fpr", "fnr"):
            found = fairness.rate_interval(counts, name)
            assert found is not None
            assert found.value == pytest.approx(known[name], abs=1e-6)


def test_auroc_and_calibration_by_group_are_the_known_ones() -> None:
    case = CASES["compas_propublica_filter"]
    rows = case["input_strings"]
    score = np.array([(int(c) + 1) / 10 for c in rows["decile_score_minus_1"]])
    label = np.array([c == "1" for c in rows["y_true"]])
    group = np.array(list(rows["race"]))

    for name, known in case["auc_by_race"].items():
        found = curves.exact_auroc(label[group == name], score[group == name])
        assert found is not None
        assert found.value == pytest.approx(known, abs=1e-6)
    for name, known in case["calibration_by_group"]["ece_10_equal_width_bins"].items():
        state = metrics.calibration_state(score[group == name], label[group == name], bins=10)
        assert metrics.calibration_error(state) == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize(
    ("case", "part", "policy"),
    [
        ("compas_propublica_filter", "expected_race", "compas_race"),
        ("acs_employment_MA_2015", "expected_RAC1P", "acs_RAC1P"),
    ],
)
def test_small_groups_are_set_aside_by_the_policy(case: str, part: str, policy: str) -> None:
    groups, counts = confusion(CASES[case][part])
    cells = Cells(("race",), np.arange(len(groups))[:, np.newaxis], counts)
    shown = FAIRNESS["min_group_size_policy"][f"{policy}_n>=30"]
    gating = FAIRNESS["min_group_size_policy"][f"{policy}_n>=100"]

    (section,) = assess(cells).sections

    assert [groups[int(group.key)] for group in section.groups] == shown["kept"]
    assert [groups[int(group.key)] for group in section.groups if group.gates] == gating["kept"]
    assert len(section.set_aside) == len(shown["set_aside"])
    least = min(g.impact_ratio.value for g in section.groups if g.gates and g.impact_ratio)
    assert least == pytest.approx(gating["demographic_parity_ratio"], abs=1e-6)
    parity = section.gaps["demographic_parity"]
    assert parity is not None
    assert parity.value == pytest.approx(gating["demographic_parity_difference"], abs=1e-6)


@pytest.mark.parametrize(
    ("rows", "shown", "gates"), [(29, False, False), (30, True, False), (100, True, True)]
)
def test_thirty_rows_show_a_group_and_a_hundred_let_it_gate(
    rows: int, shown: bool, gates: bool
) -> None:
    (section,) = assess(table((1000, 500), (1000, 500), (rows, 0))).sections

    assert len(section.groups) == 2 + shown
    assert (section.set_aside == ()) == shown
    assert section.set_aside_rows == (0 if shown else rows)
    assert (section.verdict is Verdict.FAIL) == gates
    assert sum(group.gates for group in section.groups) == 2 + gates


def test_a_small_group_is_never_the_reference() -> None:
    (section,) = assess(table((1000, 500), (1000, 450), (99, 99))).sections

    assert section.reference == "1"
    assert section.verdict is Verdict.PASS
    small = section.groups[2].impact_ratio
    assert small is not None
    assert small.value == pytest.approx(2.0)
    assert small.verdict is None


@pytest.mark.parametrize(
    ("rows", "chosen", "verdict", "where"),
    [
        (5000, 1750, Verdict.FAIL, "lies wholly below"),
        (200, 70, Verdict.UNKNOWN, "contains"),
        (5000, 2300, Verdict.PASS, "lies wholly above"),
    ],
)
def test_the_interval_decides_and_the_sentence_names_group_ratio_interval_and_bound(
    rows: int, chosen: int, verdict: Verdict, where: str
) -> None:
    report = assess(table((5000, 2500), (rows, chosen)))

    ratio = report.sections[0].groups[1].impact_ratio
    assert report.verdict is verdict
    assert ratio is not None
    sentence = (
        f"race 2 (Black) is predicted “hired” at {chosen / rows / 0.5:.3f} times the rate of "
        f"race 1 (White); the 95 % interval {ratio.lower:.3f}–{ratio.upper:.3f} {where} the "
        "bound 0.8."
    )
    assert report.reasons == (sentence,)


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        (0.8, 0.9, Verdict.PASS),
        (0.7999, 0.9, Verdict.UNKNOWN),
        (0.7, 0.8, Verdict.UNKNOWN),
        (0.7, 0.7999, Verdict.FAIL),
    ],
)
def test_an_interval_that_touches_the_bound(lower: float, upper: float, verdict: Verdict) -> None:
    assert fairness.verdict_of(Interval(0.75, lower, upper, "Katz"), 0.8) is verdict


def test_of_several_failing_groups_each_is_named_the_worst_first() -> None:
    report = assess(table((5000, 2500), (5000, 1500), (5000, 1000), (5000, 2400)))

    assert [reason.split(" is ")[0] for reason in report.reasons] == ["race 3", "race 2 (Black)"]


def test_one_large_group_alone_is_unknown() -> None:
    report = assess(table((1000, 500), (99, 10)))

    assert report.verdict is Verdict.UNKNOWN
    assert report.reasons == (
        "race: fewer than two groups have 100 rows, so nothing can be compared.",
    )


def test_without_a_large_group_nothing_is_compared() -> None:
    (section,) = assess(table((50, 20), (60, 10))).sections

    assert section.verdict is Verdict.UNKNOWN
    assert section.reference is None
    assert [group.impact_ratio for group in section.groups] == [None, None]
    assert set(section.gaps.values()) == {None}


def test_a_model_that_chooses_nobody_is_unknown_and_not_fair() -> None:
    report = assess(table((1000, 0), (1000, 0)))

    assert report.verdict is Verdict.UNKNOWN
    assert report.reasons == ("race: “hired” is predicted for nobody, so no ratio is defined.",)


def test_a_large_group_without_a_single_choice_fails() -> None:
    assert assess(table((1000, 500), (1000, 0))).verdict is Verdict.FAIL


def test_rates_without_a_row_are_listed_and_never_nought() -> None:
    cells = Cells(("race",), np.array([[1], [2]]), np.array([[50, 50, 0, 0], [20, 30, 25, 25]]))

    (section,) = assess(cells).sections

    assert section.groups[0].rates["tpr"] is None
    assert section.undefined == (
        "tpr of race 1 (White): no row to measure it on",
        "fnr of race 1 (White): no row to measure it on",
    )
    assert section.gaps["equal_opportunity"] is None
    assert section.gaps["demographic_parity"] is not None


def test_without_a_declared_attribute_the_verdict_is_unknown() -> None:
    report = fairness.assess(None, favourable_label="hired", names={})

    assert report.verdict is Verdict.UNKNOWN
    assert report.reasons == ("No protected attribute was declared.",)


def test_an_intersection_can_fail_where_each_attribute_passes() -> None:
    keys = np.array([[1, 1], [1, 2], [2, 1], [2, 2]])
    counts = np.array([[600, 0, 0, 400], [400, 0, 0, 600], [400, 0, 0, 600], [600, 0, 0, 400]])

    report = assess(Cells(("race", "sex"), keys, counts))

    verdicts = {section.attributes: section.verdict for section in report.sections}
    assert verdicts == {
        ("race",): Verdict.PASS,
        ("sex",): Verdict.PASS,
        ("race", "sex"): Verdict.FAIL,
    }
    assert report.verdict is Verdict.FAIL
    assert len(report.reasons) == 2
    assert report.reasons[0].startswith("race 1 (White) × sex 1 is predicted “hired” at 0.667")


def test_every_pair_of_attributes_is_looked_at() -> None:
    assert fairness.marginals(["a", "b", "c"]) == [
        ("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"),
    ]  # fmt: skip


def test_a_stricter_policy_is_obeyed_and_stored() -> None:
    cells = table((5000, 2500), (5000, 2300))

    report = assess(cells, policy=Policy(min_impact_ratio=0.99))

    assert report.verdict is Verdict.FAIL
    assert report.to_json()["policy"]["min_impact_ratio"] == 0.99


def test_a_report_is_json_and_repeats_with_its_seed() -> None:
    cells = table((500, 250), (500, 200))

    one, again, other = (assess(cells, seed=seed).to_json() for seed in (1, 1, 2))

    assert json.loads(json.dumps(one, allow_nan=False))["verdict"] == "unknown"
    assert one == again != other


@given(st.lists(st.tuples(st.integers(100, 500), st.integers(0, 100)), min_size=2, max_size=5))
def test_the_order_of_groups_does_not_matter_to_the_verdict(groups: list[tuple[int, int]]) -> None:
    forwards, backwards = assess(table(*groups)), assess(table(*reversed(groups)))

    assert forwards.verdict is backwards.verdict
