"""What was held of one version and since when: every change of verdict, with its evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.api.answers import Trigger
from monitoring.models import RecordedVerdict
from monitoring.triggers import Rule, Verdict
from registry import entries, tokens
from registry.api.describing import PAGE, describes
from registry.api.paging import check_query, page
from registry.models import DeploymentStage


class OtherVerdict(TypedDict):
    """What the rule said that was not acted on."""

    rule: Rule
    verdict: Verdict
    triggers: list[Trigger]


class KeptVerdict(TypedDict):
    """What was held of a version from ``decided_at`` on, and on what figures."""

    verdict_id: int
    decided_at: datetime
    verdict: Verdict
    stage: DeploymentStage
    rule: Rule
    reasons: list[str]
    window_minutes: int
    window_end: datetime
    newest_snapshot_at: datetime | None
    triggers: list[Trigger]
    other_rule: OtherVerdict | None


class VerdictPage(TypedDict):
    """Changes of verdict, newest first."""

    verdicts: list[KeptVerdict]
    next: str | None


class VerdictsView(APIView):
    """Every change of a version's verdict, newest first."""

    scopes = {"GET": tokens.READ}

    @describes("List a version's verdicts", query=PAGE, answers={200: VerdictPage})
    def get(self, request: Request, model_id: str) -> Response:
        check_query(request, {parameter.name for parameter in PAGE})
        found, following = page(request, entries.find(model_id).verdicts.all())
        return Response({"verdicts": [verdict_json(kept) for kept in found], "next": following})


def verdict_json(kept: RecordedVerdict) -> dict[str, Any]:
    """A verdict on record as the API shows it."""
    return {
        "verdict_id": kept.pk,
        "decided_at": kept.decided_at,
        "verdict": kept.verdict,
        "stage": kept.stage,
        "rule": kept.rule,
        "reasons": kept.reasons,
        "window_minutes": kept.window_minutes,
        "window_end": kept.window_end,
        "newest_snapshot_at": kept.newest_snapshot_at,
        "triggers": kept.triggers,
        "other_rule": kept.other or None,
    }
