"""What governance adds to a model's page: how its review stands, and its card."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from governance import gates
from governance.models import Check
from monitoring.pages.parts import Part
from registry.models import ModelVersion


def review_part(version: ModelVersion, user: User) -> Part:
    """Both checks, who signed, what is in the way, and the latest card."""
    gate = gates.preview(version, now=timezone.now())
    results = {result.check_name: result for result in gates.latest_results(version)}
    return Part(
        "governance/review_part.html",
        {
            "checks": [(check.label, results.get(check.value)) for check in Check],
            "gate": gate,
            "approvals": list(
                version.approvals.filter(withdrawn_at=None).select_related("approver")
            ),
            "card": version.cards.first(),
            "reviews": user.is_staff,
        },
    )
