"""Snapshots of live traffic."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import parsing, snapshots
from monitoring.api import answers
from monitoring.models import PerformanceSnapshot
from registry import clock, counting, entries, permissions, tokens
from registry.api.describing import Parameter, describes
from registry.api.idempotency import idempotent
from registry.api.paging import check_query
from registry.errors import InvalidInput

MOST = 1000
TIME = {"type": "string", "format": "date-time"}
FILTERS = (
    Parameter("since", TIME, "Only those of intervals that ended at this time or later."),
    Parameter("until", TIME, "Only those of intervals that ended before this time."),
    Parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": 100},
        "How many to answer at most.",
    ),
)


class PerformanceView(APIView):
    """POST keeps one snapshot or a list; GET lists the newest."""

    scopes = {"GET": tokens.READ, "POST": tokens.PERFORMANCE_WRITE}

    @describes("Report snapshots", body=parsing.schema(), answers={201: answers.Receipt})
    @idempotent
    def post(self, request: Request, model_id: str) -> Response:
        version = entries.find(model_id)
        permissions.check_reach(request, version.family, tokens.PERFORMANCE_WRITE)
        batch = parsing.parse(
            request.data,
            model_id=version.model_id,
            version=version.version,
            now=clock.now(),
            retention=settings.ASSAY_SNAPSHOT_RETENTION,
        )
        receipt = snapshots.store(version, batch, by_job=tokens.is_of_job(request.auth))
        _count(receipt)
        conflicts = [
            {"index": index, "detail": "This interval was reported before with other values."}
            for index in receipt.conflicts
        ]
        body = {"accepted": receipt.accepted, "duplicates": receipt.duplicates}
        return Response(body | {"conflicts": conflicts}, status=201)

    @describes("List a version's snapshots", query=FILTERS, answers={200: answers.SnapshotPage})
    def get(self, request: Request, model_id: str) -> Response:
        check_query(request, {parameter.name for parameter in FILTERS})
        version = entries.find(model_id)
        rows = PerformanceSnapshot.objects.filter(model_version=version)
        for name, lookup in (("since", "timestamp__gte"), ("until", "timestamp__lt")):
            if name in request.query_params:
                rows = rows.filter(**{lookup: _time(request, name)})
        limit = _limit(request)
        found = list(rows.order_by("-timestamp", "source").values(*SHOWN)[: limit + 1])
        following = found[limit - 1]["timestamp"] if len(found) > limit else None
        return Response({"snapshots": found[:limit], "next": following})


def _count(receipt: snapshots.Receipt) -> None:
    outcomes = {
        "accepted": receipt.accepted,
        "duplicate": receipt.duplicates,
        "conflict": len(receipt.conflicts),
    }
    for outcome, number in outcomes.items():
        counting.SNAPSHOTS.labels(outcome).inc(number)


SHOWN = ("model_id", *(name for name in parsing.FIELDS if name != "model_id"))


def _time(request: Request, name: str) -> Any:
    at = parsing.read_time(request.query_params[name])
    if at is None or at.tzinfo is None:
        raise InvalidInput.of(name, "Give a time with its offset, like 2026-01-31T12:00:00Z.")
    return at


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "100")
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= MOST:
        raise InvalidInput.of("limit", f"Give a whole number from 1 to {MOST}.")
    return int(text)
