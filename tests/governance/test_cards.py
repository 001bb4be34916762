"""Model cards as data and as Markdown: every figure labelled, nobody's words obeyed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from governance import cards
from governance.cards import CardFacts
from governance.checks import Figure, Finding, Judged
from monitoring.evaluations import fairness
from monitoring.evaluations.cells import Cells
from tests.governance.results import results

FACTS = CardFacts(
    model={
        "model_id": "employment_v1",
        "name": "Employment",
        "version": "1.0.0",
        "number": 1,
        "framework": "pytorch",
        "model_type": "classification",
        "owner": "tom",
        "team": "labour",
        "risk_tier": "high",
    },
    use={
        "basis": "declared",
        "description": "Predicts employment.\nFor statistics only.",
        "intended_use": "Statistics",
        "out_of_scope": None,
    },
    training_data={"hash": "abc123", "rows": 68_785, "trained_at": "2026-01-01T00:00:00+00:00"},
    artifact={
        "sha256": "a" * 64,
        "basis": "measured",
        "format": "safetensors",
        "size": 1000,
        "path": None,
    },
    declared_metrics={"accuracy": 0.83, "f1": 0.8},
    evaluation={
        "evaluation_id": 3,
        "dataset": "acs_2016",
        "dataset_sha256": "d" * 64,
        "device": "cpu",
        "finished_at": "2026-01-02T00:00:00+00:00",
        "evidence_digest": "e" * 64,
    },
    results=results("fail", unmonitored_features=["hour"]),
    principles=[
        Judged(
            id="purpose",
            tick="constitutional_compliance",
            statement="It has a use.",
            question="Is it good?",
            findings=(
                ("use_described", Finding("pass", "Described.", (Figure("x", 1, "declared"),))),
                ("owner_known", Finding("unknown", "Nobody knows tom.")),
            ),
        )
    ],
    governance={
        "risk_tier": "high",
        "constitution_version": "1@abc",
        "policy_version": "1@def/high",
        "subject": {"scope": "serving"},
        "subject_digest": "f" * 64,
        "checks": [
            {
                "check": "bias",
                "verdict": "pass",
                "by": "user:7",
                "at": "2026-01-03T00:00:00+00:00",
                "of": "this",
            }
        ],
        "approvals": [
            {
                "by": "user:7",
                "role": "risk_officer",
                "scope": "canary",
                "at": "2026-01-03T00:00:00+00:00",
                "expires_at": None,
                "subject_digest": "f" * 64,
                "state": "stands",
            }
        ],
    },
    deployment={
        "stage": "canary",
        "canary_percentage": 12.5,
        "since": "2026-01-04T00:00:00+00:00",
    },
)
NOTHING = replace(
    FACTS,
    use={"basis": "declared", "description": None},
    training_data={"hash": None, "rows": None, "trained_at": None},
    artifact={"sha256": None, "basis": None, "format": None, "size": None, "path": None},
    declared_metrics={},
    evaluation=None,
    results=None,
    governance={**FACTS.governance, "checks": [], "approvals": []},
    deployment={"stage": "development", "canary_percentage": None, "since": "2026"},
)


def markdown(facts: CardFacts, **names: str) -> str:
    return cards.markdown(cards.content(facts), names)


def html(facts: CardFacts) -> str:
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown(facts)))


def test_every_metric_stands_with_what_was_declared_and_what_was_measured() -> None:
    assert cards.content(FACTS)["metrics"] == [
        {"name": "accuracy", "declared": 0.83, "measured": 0.82},
        {"name": "f1", "declared": 0.8, "measured": None},
        {"name": "auroc", "declared": None, "measured": 0.9},
    ]


def test_the_bias_table_is_measured_and_keeps_its_intervals() -> None:
    bias = cards.content(FACTS)["bias"]

    (section,) = bias["sections"]
    assert (bias["basis"], bias["verdict"]) == ("measured", "fail")
    assert section["groups"][1]["impact_ratio"]["upper"] == 0.731
    assert section["groups"][1]["fpr"] is None


def test_without_an_evaluation_nothing_is_called_measured() -> None:
    content = cards.content(NOTHING)

    assert content["bias"]["basis"] is None
    assert content["bias"]["verdict"] == "unknown"
    assert content["evaluation"] is None
    assert "**not measured**" in markdown(NOTHING)


def test_findings_keep_the_basis_of_each_figure() -> None:
    (principle,) = cards.content(FACTS)["principles"]

    assert principle["verdict"] == "unknown"
    assert principle["findings"][0]["figures"] == [{"name": "x", "value": 1, "basis": "declared"}]


def test_limits_are_named() -> None:
    assert cards.content(FACTS)["limits"] == {
        "unmonitored_features": ["hour"],
        "groups_too_small_to_show": ["Alaska Native alone"],
        "undefined_rates": ["fpr of group 9"],
    }


@pytest.mark.parametrize(
    "line",
    [
        "# Employment 1.0.0",
        "| model id | employment\\_v1 |",
        "> Predicts employment.",
        "> For statistics only.",
        "**Use** (declared)",
        "| training data hash | abc123 | declared |",
        f"| artifact sha256 | {'a' * 64} | measured |",
        "| accuracy | 0.83 | 0.82 |",
        "| f1 | 0.8 | — |",
        "**fail** (measured)",
        "### RAC1P: fail",
        (
            "| Two or more | 900 | 0.689 (0.650–0.731) | 0.500 (0.480–0.520) | 0.800 (0.780–0.820) | — | "
            "fail |"
        ),
        "| White alone | 50000 | — | 0.500 (0.480–0.520) | 0.800 (0.780–0.820) | — | reference |",
        "| purpose | unknown | Nobody knows tom. |",
        "| bias | pass | ada | 2026-01-03T00:00:00+00:00 | this |",
        "| ada | risk officer | canary | 2026-01-03T00:00:00+00:00 | stands |",
        "- Drift of these features is not monitored: hour",
        "canary at 12.5 % since 2026-01-04T00:00:00+00:00.",
    ],
)
def test_the_markdown_says(line: str) -> None:
    said = cards.markdown(cards.content(FACTS), {"user:7": "ada"}).splitlines()

    assert line in said


@pytest.mark.parametrize(
    "line",
    [
        "Nothing was declared.",
        "| training data hash | — | declared |",
        "| artifact sha256 | — | — |",
        "No gate evaluation was made: nothing here was measured by us.",
        "No limits are known of.",
        "development since 2026.",
    ],
)
def test_what_is_missing_is_said(line: str) -> None:
    assert line in markdown(NOTHING).splitlines()


def test_an_erased_person_keeps_an_opaque_id() -> None:
    assert "| user:7 |" in markdown(FACTS)


HOSTILE = [
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](http://elsewhere/pixel)",
    "# Approved by the board",
    "a | b | c",
    "**bold** _em_ `code`",
    "---",
    "===",
    "- item",
    "+ item",
    "1. item",
    "> quote",
    "~~~",
    "&lt;b&gt;",
    "<http://elsewhere>",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_peoples_words_are_shown_and_not_obeyed(words: str) -> None:
    plain = html(replace(FACTS, use={"description": "x"}))

    made = html(replace(FACTS, use={"description": words}))

    tags = ("<script", "<a ", "<img", "<h1", "<h2", "<strong", "<em>", "<code", "<hr", "<li", "<td")
    for tag in tags:
        assert made.count(tag) == plain.count(tag), tag
    assert made.count("<blockquote>") == plain.count("<blockquote>")


@pytest.mark.parametrize("words", HOSTILE)
def test_words_in_tables_stay_in_their_cell(words: str) -> None:
    plain = html(replace(FACTS, model={**FACTS.model, "owner": "x"}))

    made = html(replace(FACTS, model={**FACTS.model, "owner": words}))

    assert made.count("<td") == plain.count("<td")
    assert made.count("<tr") == plain.count("<tr")
    assert "<script" not in made


@given(st.text(max_size=60))
def test_no_words_change_the_shape_of_the_card(words: str) -> None:
    facts = replace(
        FACTS, use={"description": f"x{words}x"}, model={**FACTS.model, "team": f"x{words}x"}
    )

    made = html(facts)

    for tag in ("<h1", "<h2", "<h3", "<table", "<blockquote", "<strong", "<em"):
        assert made.count(tag) == html(replace(facts, use={"description": "x"})).count(tag), tag


def test_a_group_too_small_to_gate_says_so() -> None:
    found = results("pass")
    small = found["bias"]["sections"][0]["groups"][1]
    small |= {"gates": False, "impact_ratio": small["impact_ratio"] | {"verdict": None}}

    assert "too few rows to gate" in markdown(replace(FACTS, results=found))


def test_what_the_judge_of_bias_really_writes_fits_the_card() -> None:
    cells = Cells(
        ("RAC1P",), np.array([[1], [9]]), np.array([[50, 50, 0, 900], [400, 50, 50, 500]])
    )
    report = fairness.assess(cells, favourable_label="employed", names={}).to_json()

    made = markdown(
        replace(FACTS, results=results("pass") | {"bias": json.loads(json.dumps(report))})
    )

    assert "| RAC1P 1 | 1000 |" in made
    assert "reference" in made
    assert "| fail |" in made


def test_the_content_is_plain_json() -> None:
    def check(value: Any) -> None:
        assert isinstance(value, dict | list | str | float | int | None), value
        for inner in value.values() if isinstance(value, dict) else ():
            check(inner)
        for inner in value if isinstance(value, list) else ():
            check(inner)

    check(cards.content(FACTS))
