"""What governance adds to a model's page: its progression, how its review stands, its card."""

from __future__ import annotations

from django.contrib.auth.models import User

from governance import gates, subjects
from governance.models import Check
from governance.progressions import steps
from monitoring.pages.parts import Part
from registry import clock, tokens
from registry.models import DeploymentStage, ModelVersion


def review_part(version: ModelVersion, user: User) -> Part:
    """Both checks, the signatures that stand, what is in the way, and the latest card."""
    now, subject = clock.now(), subjects.of(version)
    results = {result.check_name: result for result in gates.latest_results(version)}
    signed = version.approvals.select_related("approver")
    return Part(
        "governance/review_part.html",
        {
            "checks": [(check.label, results.get(check.value)) for check in Check],
            "gate": gates.preview(version, now=now),
            "approvals": [a for a in signed if gates.state_of(a, subject, now=now) == "stands"],
            "card": version.cards.first(),
        },
    )


def progression_part(version: ModelVersion, user: User) -> Part | None:
    """The latest progression, or the offer to start one where a canary is or may follow."""
    latest = version.progressions.select_related("remark").first()
    may_start = version.stage in (DeploymentStage.SANDBOX, DeploymentStage.CANARY)
    if latest is None and not may_start:
        return None
    under_way = latest is not None and latest.ended_at is None
    shown = steps.read(latest.steps) if latest else steps.DEFAULT
    return Part(
        "governance/progression_part.html",
        {
            "progression": latest,
            "under_way": under_way,
            "steps": [
                (step, _place(position, latest.position if latest else -1, under_way))
                for position, step in enumerate(shown)
            ],
            "offered": steps.DEFAULT,
            "may_start": may_start and not under_way,
            "may_steer": tokens.DEPLOY in tokens.scopes_of(user),
        },
    )


def _place(position: int, current: int, under_way: bool) -> str:
    """Where a step stands: passed, current or ahead."""
    if position == current:
        return "current" if under_way else "passed"
    return "passed" if position < current else "ahead"
