"""Everything one review page shows of a version, asked for once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from governance import constitution, evidence, gates, measured, reviewers, subjects
from governance.checks import Judged
from governance.constitution import Tier
from governance.gates import Gate
from governance.models import Approval, Check, CheckResult, Scope
from governance.subjects import Subject
from monitoring.models import Evaluation, EvaluationKind
from monitoring.pages.evidence import Report, report
from registry import lifecycle, tokens
from registry.models import GATED_STAGES, DeploymentStage, Event, ModelVersion, TransitionKind


@dataclass(frozen=True, slots=True)
class Tick:
    """One of the two checks: what is known without asking, and what was settled last."""

    check: Check
    judged: tuple[Judged, ...]  # its principles
    settled: CheckResult | None
    stands: bool  # it is a pass of what the version is now
    changes: tuple[str, ...]  # what changed since, as words

    @property
    def asks(self) -> list[Judged]:
        """The principles that do not pass by themselves: only these ask a person."""
        return [judged for judged in self.judged if judged.verdict != "pass"]

    @property
    def passes(self) -> list[Judged]:
        """The principles that ask nobody."""
        return [judged for judged in self.judged if judged.verdict == "pass"]


@dataclass(frozen=True, slots=True)
class Signed:
    """One approval and what has become of it."""

    approval: Approval
    state: str


@dataclass(frozen=True, slots=True)
class Way:
    """A move that may be asked for from here."""

    to: DeploymentStage
    label: str
    gated: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a reviewer decides on."""

    version: ModelVersion
    tier: Tier
    subject: Subject
    report: Report | None  # of the gate evaluation
    waiting: Evaluation | None  # a newer gate evaluation that is not done, or failed
    bias: measured.Bias
    ticks: tuple[Tick, ...]
    gate: Gate | None  # the one ahead
    signed: tuple[Signed, ...]
    request: Event | None  # the latest request for a review
    refusal: str | None  # why this user may not review it
    may_move: bool
    ways: tuple[Way, ...]

    @property
    def next_scope(self) -> Scope:
        """What a signature given now should cover."""
        return self.gate.scope if self.gate else self.tier.scopes()[-1]

    @property
    def note_needed(self) -> bool:
        """Whether something does not pass by itself, so that a note must stand in for it."""
        return any(tick.asks for tick in self.ticks)


def dossier(version: ModelVersion, user: User, *, now: datetime) -> Dossier:
    """Gather what the review page of ``version`` shows to ``user``."""
    evaluation = evidence.gate_evaluation(version)
    subject = subjects.of(version)
    approvals = version.approvals.select_related("approver", "remark")
    return Dossier(
        version=version,
        tier=constitution.tier_of(version.family.risk_tier),
        subject=subject,
        report=report(evaluation, version.evaluation_metrics) if evaluation else None,
        waiting=_waiting(version, evaluation),
        bias=measured.bias(evaluation.results if evaluation else None),
        ticks=_ticks(version, evaluation, subject),
        gate=gates.preview(version, now=now),
        signed=tuple(Signed(a, gates.state_of(a, subject, now=now)) for a in approvals),
        request=_latest_request(version),
        refusal=reviewers.refusal(version, user),
        may_move=tokens.DEPLOY in tokens.scopes_of(user),
        ways=tuple(_ways(version)),
    )


def _ticks(
    version: ModelVersion, evaluation: Evaluation | None, subject: Subject
) -> tuple[Tick, ...]:
    judged = evidence.judge(evidence.facts_of(version, evaluation))
    settled = {result.check_name: result for result in gates.latest_results(version)}
    return tuple(_tick(check, judged, settled.get(check), subject) for check in Check)


def _tick(
    check: Check, judged: Sequence[Judged], settled: CheckResult | None, subject: Subject
) -> Tick:
    of_this = settled is not None and settled.subject_digest == subject.digest
    return Tick(
        check=check,
        judged=tuple(one for one in judged if one.tick == check),
        settled=settled,
        stands=of_this and settled is not None and settled.verdict == "pass",
        changes=tuple(subjects.changes(settled.subject, subject.parts)) if settled else (),
    )


def _waiting(version: ModelVersion, done: Evaluation | None) -> Evaluation | None:
    newest = version.evaluations.filter(kind=EvaluationKind.GATE).defer("results").first()
    if newest is None or newest == done or newest.state == "done":
        return None
    return newest


def _latest_request(version: ModelVersion) -> Event | None:
    asked = version.events.filter(event_type="model.review.requested")
    return asked.select_related("remark").order_by("-pk").first()


def _ways(version: ModelVersion) -> Iterable[Way]:
    """The moves from here, but for rolling back, which has a page of its own."""
    for (source, to), kind in lifecycle.TRANSITIONS.items():
        if source == version.stage and kind is not TransitionKind.ROLLED_BACK:
            yield Way(DeploymentStage(to), LABELS[kind].format(to=to), to in GATED_STAGES)


LABELS = {
    TransitionKind.PROMOTED: "Promote to {to}",
    TransitionKind.ADJUSTED: "Change the canary share",
    TransitionKind.WITHDRAWN: "Withdraw to {to}",
    TransitionKind.RETRIED: "Send back to {to}",
    TransitionKind.ARCHIVED: "Archive",
}
