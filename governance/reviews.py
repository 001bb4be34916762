"""What reviewers do: settle checks, sign, withdraw. The model's own people are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from governance import constitution, reviewers, signatures, subjects
from governance.constitution import Tier
from governance.models import Approval, Check, CheckResult, CheckVerdict, Scope
from governance.signatures import Signing
from governance.subjects import Subject
from registry import lifecycle, registration
from registry.actors import actor_of
from registry.errors import Conflict, NotAllowed
from registry.ledger import events
from registry.models import Event, ModelVersion, Part

BOTH_PASS = "Both checks pass"  # the meaning of a signature that follows from two ticks


@dataclass(frozen=True, slots=True)
class Review:
    """What one visit of a reviewer left behind."""

    results: tuple[CheckResult, ...]
    approval: Approval | None  # None: a check did not pass, so there was nothing to approve


@transaction.atomic
def settle_check(
    version: ModelVersion,
    check: Check,
    *,
    verdict: CheckVerdict,
    reviewer: User,
    note: str = "",
    console: bool = False,
) -> CheckResult:
    """Record a reviewer's verdict on one check of what the version is now.

    Where the tier takes one signature, the reviewer's second pass of the same subject is the
    approval too. Anything but a pass withdraws what the reviewer has signed of this version.

    Args:
        console: Whether the reviewer is in the console, which tier high demands.

    Raises:
        NotAllowed: One of the model's own people, or no reviewer, or not in the console.
    """
    version = _open_for(version, reviewer, console=console)
    result = _settle(version, check, verdict, reviewer, note)
    if _signs_by_ticking(version) and _both_passed_by(version, reviewer):
        name = reviewer.get_full_name() or reviewer.get_username()
        signatures.give(version, reviewer, Signing(printed_name=name, meaning=BOTH_PASS, note=note))
    return result


@transaction.atomic
def sign(
    version: ModelVersion,
    *,
    reviewer: User,
    printed_name: str,
    meaning: str,
    note: str = "",
    scope: Scope | None = None,
    role: str | None = None,
    console: bool = False,
) -> Approval:
    """Approve what the version is now. Signing the same twice changes nothing.

    Args:
        scope: What the signature covers; tier high has two scopes and needs one named.
        role: The role it is given in; where None, one the reviewer holds and is still wanted.

    Raises:
        NotAllowed: One of the model's own people, or no reviewer, or not in the console.
        InvalidInput: The scope, role, printed name or meaning does not fit.
    """
    version = _open_for(version, reviewer, console=console)
    words = Signing(printed_name=printed_name, meaning=meaning, note=note, scope=scope, role=role)
    return signatures.give(version, reviewer, words)


@transaction.atomic
def settle_and_sign(
    version: ModelVersion,
    *,
    verdicts: Mapping[Check, CheckVerdict],
    reviewer: User,
    signing: Signing,
    console: bool = False,
) -> Review:
    """Settle the given checks and, where both stand as passed then, sign: one decision.

    Raises:
        NotAllowed: One of the model's own people, or no reviewer, or not in the console.
        InvalidInput: The scope, role, printed name or meaning does not fit.
        Conflict: A check that was not given has no standing pass.
    """
    version = _open_for(version, reviewer, console=console)
    results = tuple(
        _settle(version, check, verdict, reviewer, signing.note)
        for check, verdict in verdicts.items()
    )
    if any(result.verdict != CheckVerdict.PASS for result in results):
        return Review(results, None)
    missing = [check.label for check in Check if not _stands(version, check)]
    if missing:
        raise Conflict(f"Settle the {' and the '.join(missing)} check too, then sign.")
    return Review(results, signatures.give(version, reviewer, signing))


@transaction.atomic
def request_review(version: ModelVersion, *, requester: User, note: str = "") -> Event:
    """Ask reviewers to look at ``version``. Who asks is one of its own people from then on."""
    version = lifecycle.lock(version)
    registration.join(version, Part.REQUESTER, user=requester)
    return events.record(
        "model.review.requested",
        subject=version,
        actor=actor_of(requester),
        remark=events.remark(note),
        payload={"stage": version.stage, "subject_digest": subjects.of(version).digest},
    )


@transaction.atomic
def withdraw(approval: Approval, *, reviewer: User, reason: str = "") -> Approval:
    """Take one's own signature back: it opens no further gate. Twice changes nothing.

    Raises:
        NotAllowed: It is somebody else's signature.
    """
    lifecycle.lock(approval.version)
    approval = Approval.objects.select_related("version", "approver").get(pk=approval.pk)
    if approval.approver_id != reviewer.pk:
        raise NotAllowed(
            f"Only {approval.approver} may withdraw this signature; to close the gate, settle a "
            "check as failed, or revoke the attestation."
        )
    if approval.withdrawn_at is None:
        signatures.take_back(approval, reason)
    return approval


def _open_for(version: ModelVersion, reviewer: User, *, console: bool) -> ModelVersion:
    """The version, locked, for a reviewer who may decide about it here."""
    version = lifecycle.lock(version)
    reviewers.check_may_review(version, reviewer)
    if _tier(version).console_only and not console:
        raise NotAllowed(
            f"{version} is of tier {version.family.risk_tier}, which is reviewed in the console "
            f"only: /admin/governance/review/{version.model_id}/."
        )
    return version


def _settle(
    version: ModelVersion, check: Check, verdict: CheckVerdict, reviewer: User, note: str
) -> CheckResult:
    subject = subjects.of(version)
    remark = events.remark(note)
    result = CheckResult.objects.create(
        version=version,
        check_name=check,
        verdict=verdict,
        subject_digest=subject.digest,
        subject=dict(subject.parts),
        reviewer=reviewer,
        remark=remark,
    )
    events.record(
        "check.settled",
        subject=version,
        actor=actor_of(reviewer),
        remark=remark,
        payload={"check": check, "verdict": verdict, "subject_digest": subject.digest},
    )
    if verdict != CheckVerdict.PASS:
        _withdraw_all(version, reviewer, f"The {check.label} check is {verdict}.")
    return result


def _withdraw_all(version: ModelVersion, reviewer: User, reason: str) -> None:
    """Nobody's signature outlives their own verdict that a check did not pass."""
    signed = version.approvals.filter(approver=reviewer, withdrawn_at=None)
    for approval in signed.select_related("approver", "version"):
        signatures.take_back(approval, reason)


def _stands(version: ModelVersion, check: Check) -> bool:
    """Whether the check's latest result is a pass of what the version is now."""
    return _is_pass(version.check_results.filter(check_name=check).first(), subjects.of(version))


def _both_passed_by(version: ModelVersion, reviewer: User) -> bool:
    """Whether this reviewer's own latest results are passes of what the version is now."""
    own = version.check_results.filter(reviewer=reviewer)
    subject = subjects.of(version)
    return all(_is_pass(own.filter(check_name=check).first(), subject) for check in Check)


def _is_pass(result: CheckResult | None, subject: Subject) -> bool:
    return (
        result is not None
        and result.verdict == CheckVerdict.PASS
        and result.subject_digest == subject.digest
    )


def _signs_by_ticking(version: ModelVersion) -> bool:
    tier = _tier(version)
    return tier.quorum == 1 and tier.scopes() == (Scope.SERVING,)


def _tier(version: ModelVersion) -> Tier:
    return constitution.tier_of(version.family.risk_tier)
