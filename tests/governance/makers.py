"""Reviews, approvals and traffic, by verb or as bare rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from governance import reviews, subjects
from governance.models import Approval, Check, CheckResult, CheckVerdict, Scope
from monitoring import snapshots
from monitoring.parsing import Snapshot
from registry.models import ModelVersion

PASSWORD = "correct horse battery staple"


def settle_both(
    version: ModelVersion, reviewer: User, *, verdict: CheckVerdict = CheckVerdict.PASS
) -> None:
    """Tick both checks; at tiers low and medium that is the approval too."""
    for check in Check:
        reviews.settle_check(version, check, verdict=verdict, reviewer=reviewer, console=True)


def approve_high(version: ModelVersion, scope: Scope, *signers: User) -> None:
    """Settle both checks by the first signer and have everybody sign for one stage."""
    settle_both(version, signers[0])
    for signer in signers:
        reviews.sign(
            version,
            reviewer=signer,
            printed_name=signer.username.title(),
            meaning="I approve it",
            scope=scope,
            console=True,
        )


def write_approval(version: ModelVersion, signer: User, **fields: Any) -> Approval:
    """An approval as a row, past every verb: of what the version is now, unless told otherwise."""
    scope = Scope(fields.pop("scope", Scope.SERVING))
    subject = subjects.of(version, scope)
    defaults: dict[str, Any] = {
        "scope": scope,
        "subject_digest": subject.digest,
        "subject": dict(subject.parts),
        "role": "reviewer",
        "printed_name": signer.username,
        "meaning": "Both checks pass",
        "expires_at": timezone.now() + timedelta(days=30),
    }
    return Approval.objects.create(version=version, approver=signer, **defaults | fields)


def write_result(version: ModelVersion, check: Check, reviewer: User, **fields: Any) -> CheckResult:
    """A check result as a row, past every verb."""
    subject = subjects.of(version)
    defaults: dict[str, Any] = {
        "verdict": CheckVerdict.PASS,
        "subject_digest": subject.digest,
        "subject": dict(subject.parts),
    }
    return CheckResult.objects.create(
        version=version, check_name=check, reviewer=reviewer, **defaults | fields
    )


def record_traffic(
    version: ModelVersion,
    *,
    requests: int = 1000,
    error_rate: float = 0.01,
    at: datetime | None = None,
    by_job: bool = False,
) -> None:
    """One snapshot of live traffic, now unless told otherwise."""
    snapshots.store(
        version,
        [Snapshot(timestamp=at or timezone.now(), num_requests=requests, error_rate=error_rate)],
        by_job=by_job,
    )
