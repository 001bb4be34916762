"""Automatic evidence: what each check says of which facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance import measured
from governance.checks import CHECKS, Facts, Figure, Finding, Judged
from governance.measured import Verdict
from tests.governance.results import results

NOTHING = Facts()
ALL = Facts(
    description="Finds fraudulent card payments.",
    owner="ml_team",
    owner_is_known=True,
    artifact_digest="a" * 64,
    artifact_format="safetensors",
    artifact_detected="safetensors",
    training_data_hash="abc123",
    training_dataset_size=50_000,
    declared_metrics={"accuracy": 0.83},
    expected_latency_p95_ms=40.0,
    results=results(),
)


@pytest.mark.parametrize("name", CHECKS)
def test_without_facts_no_check_passes(name: str) -> None:
    assert CHECKS[name](NOTHING).verdict == "unknown"


@pytest.mark.parametrize("name", CHECKS)
def test_with_every_fact_in_order_every_check_passes(name: str) -> None:
    assert CHECKS[name](ALL).verdict == "pass"


@pytest.mark.parametrize("facts", [NOTHING, ALL])
@pytest.mark.parametrize("name", CHECKS)
def test_every_finding_is_a_sentence(name: str, facts: Facts) -> None:
    reason = CHECKS[name](facts).reason

    assert reason[0].isupper() or reason[0] == "'"
    assert reason.endswith(".")


def test_an_owner_nobody_knows_is_not_passed_over() -> None:
    finding = CHECKS["owner_known"](replace(ALL, owner_is_known=False))

    assert finding == Finding(
        "unknown",
        "'ml_team' is neither a user nor a group here.",
        (Figure("owner", "ml_team", "declared"),),
    )


def test_a_digest_is_measured_where_we_hold_the_bytes_and_declared_where_we_do_not() -> None:
    here = CHECKS["artifact_identified"](ALL)
    elsewhere = CHECKS["artifact_identified"](replace(ALL, artifact_format=None))

    assert here.figures == (Figure("sha256", "a" * 64, "measured"),)
    assert elsewhere.figures == (Figure("sha256", "a" * 64, "declared"),)
    assert elsewhere.verdict == "unknown"


def test_an_opaque_artifact_is_left_to_people() -> None:
    pickle = replace(ALL, artifact_format="opaque", artifact_detected="pickle")

    finding = CHECKS["artifact_loadable"](pickle)

    assert finding.verdict == "unknown"
    assert finding.figures == (Figure("format", "pickle", "measured"),)


@pytest.mark.parametrize(
    ("declared", "verdict"),
    [(0.82, "pass"), (0.84, "pass"), (0.8401, "fail"), (0.5, "pass"), (0.97, "fail")],
)
def test_a_declared_metric_may_exceed_the_measured_one_by_two_hundredths(
    declared: float, verdict: str
) -> None:
    finding = CHECKS["metrics_hold"](replace(ALL, declared_metrics={"accuracy": declared}))

    assert finding.verdict == verdict
    assert finding.figures == (
        Figure("accuracy", declared, "declared"),
        Figure("accuracy", 0.82, "measured"),
    )


@pytest.mark.parametrize(("declared", "verdict"), [(0.40, "pass"), (0.37, "fail"), (0.9, "pass")])
def test_of_a_loss_the_smaller_is_the_claim(declared: float, verdict: str) -> None:
    found = results(metrics={"figures": {"log_loss": 0.40}, "undefined": {}})

    finding = CHECKS["metrics_hold"](
        replace(ALL, declared_metrics={"log_loss": declared}, results=found)
    )

    assert finding.verdict == verdict


def test_a_broken_claim_is_named_with_both_figures() -> None:
    finding = CHECKS["metrics_hold"](replace(ALL, declared_metrics={"accuracy": 0.97, "auroc": 1}))

    assert finding.reason == (
        "accuracy was declared as 0.97 and measured as 0.82; "
        "auroc was declared as 1 and measured as 0.9."
    )


def test_a_metric_without_a_denominator_is_compared_with_nothing() -> None:
    finding = CHECKS["metrics_hold"](replace(ALL, declared_metrics={"precision": 0.9}))

    assert finding.verdict == "unknown"


def test_features_whose_drift_is_noise_are_named() -> None:
    noisy = replace(ALL, results=results(unmonitored_features=["hour", "temp"]))

    finding = CHECKS["drift_watched"](noisy)

    assert finding.verdict == "unknown"
    assert finding.reason == "Drift of these features cannot be told from noise: hour, temp."


@pytest.mark.parametrize("verdict", ["pass", "fail", "unknown"])
def test_bias_is_what_the_gate_evaluation_measured(verdict: str) -> None:
    finding = CHECKS["bias_measured"](replace(ALL, results=results(verdict)))

    assert finding.verdict == verdict
    assert finding.figures == (Figure("bias", verdict, "measured"),)


def test_an_evaluation_without_protected_attributes_measures_no_bias() -> None:
    nobody = {"verdict": "unknown", "reasons": ["No attribute was declared."], "sections": []}

    bias = measured.bias(results(bias=nobody))

    assert bias == measured.Bias("unknown", ("No attribute was declared.",), measured=False)


@pytest.mark.parametrize(
    ("reasons", "summary"),
    [
        ((), ""),
        (("A.",), "A."),
        (("A.", "B."), "A. 1 more finding like this."),
        (("A.", "B.", "C."), "A. 2 more findings like this."),
    ],
)
def test_many_reasons_are_summed_up(reasons: tuple[str, ...], summary: str) -> None:
    assert measured.Bias("fail", reasons, measured=True).summary == summary


def test_results_without_a_word_on_bias_are_unknown() -> None:
    assert measured.bias({}) == measured.Bias("unknown", (measured.NOT_MEASURED,), measured=False)
    assert measured.bias(None).verdict == "unknown"


def test_undefined_figures_are_no_measured_metrics() -> None:
    assert measured.metrics(results()) == {"accuracy": 0.82, "auroc": 0.9}
    assert measured.metrics(None) == {}


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        (["pass", "pass"], "pass"),
        (["pass", "unknown"], "unknown"),
        (["unknown", "fail"], "fail"),
        (["not_applicable", "pass"], "pass"),
    ],
)
def test_a_principle_is_as_good_as_its_worst_finding(
    verdicts: list[Verdict], worst: Verdict
) -> None:
    findings = tuple((f"check {n}", Finding(v, "So.")) for n, v in enumerate(verdicts))

    judged = Judged(id="x", tick="bias", statement="", question="", findings=findings)

    assert judged.verdict == worst
