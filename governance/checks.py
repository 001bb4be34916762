"""Automatic evidence: what can be said of a model version without asking anybody.

Pure: facts in, findings out. Each figure says whether the trainer declared it or we measured it.
The checks form a closed registry; the constitution names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from governance import measured
from governance.measured import Verdict

Basis = Literal["declared", "measured"]

WORST_FIRST: tuple[Verdict, ...] = ("fail", "unknown", "pass", "not_applicable")
METRIC_TOLERANCE = 0.02  # a declared metric may be better than the measured one by this much
ROUNDING = 1e-9  # 0.84 - 0.82 is a little over 0.02
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "ece"})
LOADABLE = "safetensors"  # the format that is loaded without running code


@dataclass(frozen=True, slots=True)
class Figure:
    """One number or word of evidence, and whose it is."""

    name: str
    value: str | float
    basis: Basis


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says: a verdict, a sentence, and the figures it rests on."""

    verdict: Verdict
    reason: str
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One principle of the constitution, and what the automatic checks found of it."""

    id: str
    tick: str  # which of the two ticks it folds under
    statement: str
    question: str  # for a person, where the findings do not settle it
    findings: tuple[tuple[str, Finding], ...]  # by name of the check

    @property
    def verdict(self) -> Verdict:
        """The worst of its findings; only a principle that passes asks nobody."""
        return min((finding.verdict for _, finding in self.findings), key=WORST_FIRST.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a version: declared by its trainer, or measured by its gate evaluation."""

    description: str = ""
    owner: str = ""
    owner_is_known: bool = False  # names a user or a group here
    artifact_digest: str = ""
    artifact_format: str | None = None  # None: nothing was uploaded
    artifact_detected: str = ""  # what its first bytes say
    training_data_hash: str = ""
    training_dataset_size: int | None = None  # rows
    declared_metrics: Mapping[str, float] = field(default_factory=dict)
    expected_latency_p95_ms: float | None = None
    results: Mapping[str, Any] | None = None  # of the gate evaluation; None: there is none


def use_described(facts: Facts) -> Finding:
    """The description is there; whether it is good is for a person."""
    if not facts.description.strip():
        return Finding("unknown", "No description of the model or its use was declared.")
    return Finding("pass", "A description was declared.")


def owner_known(facts: Facts) -> Finding:
    """The owner is somebody who can be called."""
    owner = Figure("owner", facts.owner, "declared")
    if not facts.owner_is_known:
        return Finding("unknown", f"{facts.owner!r} is neither a user nor a group here.", (owner,))
    return Finding("pass", "The owner is known here.", (owner,))


def artifact_identified(facts: Facts) -> Finding:
    """The bytes are ours by digest, or at least declared by one."""
    if not facts.artifact_digest:
        return Finding("unknown", "No artifact was uploaded and no digest of one was declared.")
    uploaded = facts.artifact_format is not None
    digest = Figure("sha256", facts.artifact_digest, "measured" if uploaded else "declared")
    if not uploaded:
        sentence = "The artifact is kept elsewhere; its digest was declared, not checked by us."
        return Finding("unknown", sentence, (digest,))
    return Finding("pass", "The artifact was uploaded and hashed by us.", (digest,))


def artifact_loadable(facts: Facts) -> Finding:
    """safetensors hold numbers only; anything else may run code when it is loaded."""
    if facts.artifact_format is None:
        return Finding("unknown", "No artifact was uploaded, so its format is not known.")
    found = Figure("format", facts.artifact_detected or facts.artifact_format, "measured")
    if facts.artifact_format != LOADABLE:
        sentence = "The artifact is opaque: no worker of ours loads it, and whoever does runs it."
        return Finding("unknown", sentence, (found,))
    return Finding("pass", "The artifact is safetensors: loading it runs no code.", (found,))


def training_data_declared(facts: Facts) -> Finding:
    """The training data is named by a hash."""
    if not facts.training_data_hash:
        return Finding("unknown", "No hash of the training data was declared.")
    figures = [Figure("training data hash", facts.training_data_hash, "declared")]
    if facts.training_dataset_size is not None:
        figures.append(Figure("rows", facts.training_dataset_size, "declared"))
    return Finding("pass", "The training data was declared by its hash.", tuple(figures))


def metrics_declared(facts: Facts) -> Finding:
    """The trainer says how well the model does."""
    if not facts.declared_metrics:
        return Finding("unknown", "No evaluation metrics were declared.")
    figures = tuple(Figure(n, v, "declared") for n, v in facts.declared_metrics.items())
    return Finding("pass", "The trainer declared metrics.", figures)


def metrics_hold(facts: Facts) -> Finding:
    """No declared metric is better than what we measured by more than the tolerance."""
    found = measured.metrics(facts.results)
    common = [name for name in facts.declared_metrics if name in found]
    if not common:
        return Finding("unknown", "No declared metric was measured by us.")
    figures = tuple(
        figure
        for name in common
        for figure in (
            Figure(name, facts.declared_metrics[name], "declared"),
            Figure(name, found[name], "measured"),
        )
    )
    short = [n for n in common if _claimed(n, facts.declared_metrics[n], found[n])]
    if not short:
        return Finding("pass", "The declared metrics hold when measured.", figures)
    claims = [
        f"{n} was declared as {facts.declared_metrics[n]:.3g} and measured as {found[n]:.3g}"
        for n in short
    ]
    return Finding("fail", f"{'; '.join(claims)}.", figures)


def _claimed(name: str, declared: float, found: float) -> bool:
    """Whether more was claimed than holds."""
    better = found - declared if name in LOWER_IS_BETTER else declared - found
    return better > METRIC_TOLERANCE + ROUNDING


def latency_expected(facts: Facts) -> Finding:
    """Latency has something to be compared with."""
    if facts.expected_latency_p95_ms is None:
        sentence = "No expected p95 latency was declared; its trigger needs a predecessor's."
        return Finding("unknown", sentence)
    expected = Figure("expected p95 (ms)", facts.expected_latency_p95_ms, "declared")
    return Finding("pass", "An expected p95 latency was declared.", (expected,))


def drift_watched(facts: Facts) -> Finding:
    """A reference profile is frozen, and every feature can be watched against it."""
    if facts.results is None:
        return Finding("unknown", "No gate evaluation has frozen a reference profile.")
    unwatched = measured.unmonitored_features(facts.results)
    if unwatched:
        names = ", ".join(unwatched)
        return Finding("unknown", f"Drift of these features cannot be told from noise: {names}.")
    return Finding("pass", "A reference profile is frozen and every feature is watched.")


def bias_measured(facts: Facts) -> Finding:
    """The verdict of the gate evaluation's comparison of groups."""
    bias = measured.bias(facts.results)
    figure = Figure("bias", bias.verdict, "measured")
    return Finding(bias.verdict, bias.summary, (figure,) if bias.measured else ())


CHECKS: Mapping[str, Callable[[Facts], Finding]] = {
    check.__name__: check
    for check in (
        use_described,
        owner_known,
        artifact_identified,
        artifact_loadable,
        training_data_declared,
        metrics_declared,
        metrics_hold,
        latency_expected,
        drift_watched,
        bias_measured,
    )
}
