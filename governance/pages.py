"""What governance adds to a model's page: how its review stands, and its card."""

from __future__ import annotations

from django.contrib.auth.models import User

from governance import gates, subjects
from governance.models import Check
from monitoring.pages.parts import Part
from registry import clock
from registry.models import ModelVersion


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
