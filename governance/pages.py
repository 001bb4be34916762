"""What governance adds to a model's page: the gate ahead, the checks, and who signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from governance import carding, gates, subjects
from governance.models import Approval, Check, CheckResult
from governance.subjects import Subject
from monitoring.pages.parts import Part
from registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check as the page shows it."""

    label: str
    result: CheckResult | None  # None: never settled
    current: bool  # whether it speaks of what the version is now


@dataclass(frozen=True, slots=True)
class ApprovalLine:
    """One signature and what has become of it."""

    approval: Approval
    state: str


def review_part(version: ModelVersion, user: User) -> Part:
    """The section "Review" of a model's page."""
    now = timezone.now()
    subject = subjects.of(version)
    card = version.cards.first()
    return Part(
        "governance/review_part.html",
        {
            "version": version,
            "gate": gates.preview(version, now=now),
            "checks": _checks(version, subject),
            "approvals": _approvals(version, subject, now),
            "card_url": carding.url_of(card) if card else None,
        },
    )


def _checks(version: ModelVersion, subject: Subject) -> list[CheckLine]:
    latest = {result.check_name: result for result in gates.latest_results(version)}
    return [
        CheckLine(check.label, result, result is not None and _is_of(result, subject))
        for check in Check
        for result in [latest.get(check)]
    ]


def _approvals(version: ModelVersion, subject: Subject, now: datetime) -> list[ApprovalLine]:
    signed = version.approvals.select_related("approver")[:20]
    return [ApprovalLine(one, gates.state_of(one, subject, now=now)) for one in signed]


def _is_of(result: CheckResult, subject: Subject) -> bool:
    return result.subject_digest == subject.digest
