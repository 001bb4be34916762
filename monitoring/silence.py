"""No data is neither good nor bad news: it changes no stage, and people hear of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from monitoring import incidents
from monitoring.models import Incident, IncidentKind, Listening, PerformanceSnapshot, Severity
from registry import actors, lifecycle
from registry.models import SERVING_STAGES, ModelVersion

SILENCE = timedelta(minutes=10)
BREAK = timedelta(minutes=2)  # between two looks; four are usual


def report(*, now: datetime) -> None:
    """Open an incident for each serving version silent for ten minutes.

    While nobody looked, reports may have been refused. Jobs send them again, each in its own time,
    so after such a break the ten minutes begin anew.

    It is closed where the version speaks again, or serves no more, so that nobody asks it.
    """
    if _listen(now) <= now - SILENCE:
        for version in _silent(now):
            _open(version, now)
    standing = Incident.objects.filter(kind=IncidentKind.NO_DATA, resolved_at=None)
    left = ~Q(version__stage__in=SERVING_STAGES)
    for incident in standing.filter(left | Q(_recent(now, OuterRef("version")))):
        incidents.resolve(incident, actor=actors.MONITOR, now=now)


@transaction.atomic
def _listen(now: datetime) -> datetime:
    """Since when there has been a look every so often; the first of all follows no break."""
    first = {"since": now - SILENCE, "last": now}
    listening, made = Listening.objects.select_for_update().get_or_create(defaults=first)
    if not made:
        if now - listening.last > BREAK:
            listening.since = now
        listening.last = max(now, listening.last)
        listening.save(update_fields=["since", "last"])
    return listening.since


def _silent(now: datetime) -> QuerySet[ModelVersion]:
    serving = ModelVersion.objects.serving().filter(stage_entered_at__lte=now - SILENCE)
    known = Incident.objects.filter(
        version=OuterRef("pk"), kind=IncidentKind.NO_DATA, resolved_at=None
    )
    return serving.filter(~_recent(now, OuterRef("pk")), ~Exists(known))


def _recent(now: datetime, version: OuterRef) -> Exists:
    """Whether the version reported requests in the last ten minutes."""
    return Exists(
        PerformanceSnapshot.objects.filter(
            model_version=version, timestamp__gt=now - SILENCE, num_requests__gt=0
        )
    )


@transaction.atomic
def _open(version: ModelVersion, now: datetime) -> None:
    version = lifecycle.lock(version)
    if not version.is_serving:
        return
    incidents.open_for(
        version,
        IncidentKind.NO_DATA,
        severity=Severity.WARNING,
        summary=f"{version} is in {version.stage}, but has reported no requests for 10 minutes.",
        actor=actors.MONITOR,
        now=now,
    )
