"""What stands between a version and live traffic, and the statement that nothing does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from governance import conditions, constitution, evidence, health, measured, reviewers, subjects
from governance.conditions import Demands, Health, Settled, Signature, Situation
from governance.constitution import Tier
from governance.models import Approval, Check, CheckResult, Scope
from governance.subjects import Subject
from monitoring import policies
from monitoring.playbooks import freezes
from monitoring.triggers import Verdict
from registry import attestations
from registry.actors import actor_of
from registry.errors import PromotionBlocked
from registry.models import Attestation, DeploymentStage, ModelVersion

UNHEALTHY = (Verdict.ROLLBACK, Verdict.WATCH)

# The gated stage that lies ahead of each stage; none lies ahead of production.
AHEAD: Mapping[str, DeploymentStage] = {
    DeploymentStage.DEVELOPMENT: DeploymentStage.CANARY,
    DeploymentStage.SANDBOX: DeploymentStage.CANARY,
    DeploymentStage.CANARY: DeploymentStage.PRODUCTION,
    DeploymentStage.ROLLBACK: DeploymentStage.CANARY,
    DeploymentStage.ARCHIVED: DeploymentStage.CANARY,
}


@dataclass(frozen=True, slots=True)
class Gate:
    """How the gate of one stage stands at one moment. Nothing is written."""

    stage: DeploymentStage
    scope: Scope  # what an approval for it must cover
    subject: Subject  # of that scope
    situation: Situation

    @property
    def blockers(self) -> list[str]:
        """Everything that keeps it closed, as sentences that say what to do."""
        return conditions.blockers(self.situation)

    @property
    def signatures(self) -> list[Signature]:
        """The signatures that count."""
        return conditions.counted(self.situation)


def attest(version: ModelVersion, stage: DeploymentStage, *, now: datetime) -> Attestation:
    """State that ``version`` may enter ``stage``. Everything is weighed anew at this moment.

    The caller holds the family's lock (``lifecycle.lock``), so that nothing moves meanwhile.

    Raises:
        PromotionBlocked: The gate is closed; ``blockers`` names all that is missing.
    """
    gate = weigh(version, stage, now=now)
    if missing := gate.blockers:
        raise PromotionBlocked(f"{version} may not enter {stage} yet.", missing)
    return attestations.write(
        version,
        stage,
        subject_digest=gate.subject.digest,
        approved_by=[signature.actor for signature in gate.signatures],
        checks={c: settled.verdict for c, settled in gate.situation.checks.items() if settled},
    )


def blockers(version: ModelVersion, stage: DeploymentStage, *, now: datetime) -> list[str]:
    """What keeps ``version`` out of ``stage`` now, as sentences that say what to do."""
    return weigh(version, stage, now=now).blockers


def preview(version: ModelVersion, *, now: datetime) -> Gate | None:
    """The gate ahead of ``version``, for pages; None where none is."""
    stage = AHEAD.get(version.stage)
    return None if stage is None else weigh(version, stage, now=now)


def weigh(version: ModelVersion, stage: DeploymentStage, *, now: datetime) -> Gate:
    """Gather all that the gate of ``stage`` weighs."""
    tier = constitution.tier_of(version.family.risk_tier)
    scope = tier.scope_for(stage)
    serving = subjects.of(version)
    subject = serving.scoped(scope)
    latest, signed = latest_results(version), _approvals(version, subject)
    people = [result.reviewer for result in latest] + [approval.approver for approval in signed]
    own = reviewers.own_people(version, people)
    evaluation = evidence.gate_evaluation(version)
    situation = Situation(
        stage=stage,
        now=now,
        demands=_demands(tier),
        checks=dict.fromkeys(Check.values)
        | {r.check_name: _settled(r, serving, own) for r in latest},
        signatures=tuple(_signature(approval, subject, own) for approval in signed),
        artifact_digest=version.artifact_digest,
        bias=measured.bias(evaluation.results if evaluation else None),
        canary=_health(version, now) if stage == DeploymentStage.PRODUCTION else None,
        frozen_by=str(freezes.standing(version.family) or ""),
    )
    return Gate(stage, scope, subject, situation)


def latest_results(version: ModelVersion) -> list[CheckResult]:
    """The latest result of each check that was ever settled."""
    newest = version.check_results.order_by("check_name", "-pk").distinct("check_name")
    return list(newest.select_related("reviewer", "remark"))


def state_of(approval: Approval, subject: Subject, *, now: datetime) -> str:
    """What has become of a signature, in a word or two, where ``subject`` is the current one."""
    if approval.withdrawn_at is not None:
        return "withdrawn"
    if approval.subject_digest != subject.scoped(Scope(approval.scope)).digest:
        return "of a former state"
    if approval.expires_at is not None and approval.expires_at <= now:
        return "expired"
    return "stands"


def _approvals(version: ModelVersion, subject: Subject) -> list[Approval]:
    """One approval of each person for the subject's scope: of this subject, else the newest."""
    found: dict[int, Approval] = {}
    signed = version.approvals.filter(scope=subject.parts["scope"]).select_related("approver")
    for approval in signed:  # newest first
        fits = approval.subject_digest == subject.digest and approval.withdrawn_at is None
        if fits or approval.approver_id not in found:
            found[approval.approver_id] = approval
    return list(found.values())


def _demands(tier: Tier) -> Demands:
    return Demands(
        tier=tier.name,
        quorum=tier.quorum,
        roles=tier.roles,
        distinct_roles=tier.distinct_roles,
        artifact_required=tier.artifact_required,
        evidence_required=tier.evidence_required,
    )


def _settled(result: CheckResult, subject: Subject, own: Collection[int]) -> Settled:
    return Settled(
        verdict=result.verdict,
        by=result.reviewer.get_username(),
        changes=_changes(result, subject),
        own_person=result.reviewer_id in own,
    )


def _signature(approval: Approval, subject: Subject, own: Collection[int]) -> Signature:
    return Signature(
        by=approval.approver.get_username(),
        actor=actor_of(approval.approver),
        role=approval.role,
        expires_at=approval.expires_at,
        withdrawn=approval.withdrawn_at is not None,
        changes=_changes(approval, subject),
        own_person=approval.approver_id in own,
    )


def _changes(decided: CheckResult | Approval, subject: Subject) -> tuple[str, ...]:
    """What changed since somebody decided; the digest, not the kept parts, has the word."""
    if decided.subject_digest == subject.digest:
        return ()
    return tuple(subjects.changes(decided.subject, subject.parts)) or ("subject",)


def _health(version: ModelVersion, now: datetime) -> Health:
    """How the canary did over its bake time: one window, unless the policy says otherwise."""
    policy = policies.policy_of(version.family)
    minutes = policy.bake_minutes or policy.window_minutes
    found = health.weigh(version, minutes=minutes, now=now)
    triggers = found.assessment.triggers
    return Health(
        verdict=found.assessment.verdict,
        requests=found.requests,
        min_requests=policy.min_requests,
        minutes=minutes,
        reasons=tuple(t.reason for t in triggers if t.verdict in UNHEALTHY),
        jobs_only=found.jobs_only,
    )
