"""Whether requests go where they should: what versions report, beside what they should get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from monitoring import incidents, policies
from monitoring.models import Incident, IncidentKind, PerformanceSnapshot, Severity
from monitoring.reported import Reported, reported
from monitoring.shares import Observed
from registry import actors, lifecycle
from registry.models import SERVING_STAGES, ModelVersion, StageTransition
from registry.models import DeploymentStage as Stage
from registry.routing import BUCKETS

GRACE = timedelta(seconds=60)  # from a change of traffic until everybody must have heard of it
LONGEST = timedelta(hours=1)  # that is looked at, however long the policy's window
LEFT = (Stage.ROLLBACK, Stage.ARCHIVED)  # where nobody has a reason to send a request
Counts = Mapping[int, Reported]  # by version pk
Families = Mapping[int, Sequence[ModelVersion]]  # the serving versions, by family pk


@dataclass(frozen=True, slots=True)
class Disobedience:
    """One version that gets requests it should not, or another share of them."""

    version: ModelVersion
    severity: Severity
    summary: str


def report(*, now: datetime) -> None:
    """Open an incident for each version whose traffic ignores us; close those it obeys again.

    A canary's stays open until its share is seen to be right: too few requests say nothing.
    """
    gone, shared = list(_gone(now)), _shared()
    serving = [version for versions in shared.values() for version in versions]
    counts = reported(times([*gone, *serving], now=now), now=now)
    found = [*_still_asked(gone, counts), *_off_share(shared, counts)]
    standing = {incident.version_id: incident for incident in _standing()}
    for each in found:
        _open(each, standing.pop(each.version.pk, None), now)
    unsettled = _unsettled(shared, counts)
    for pk, incident in standing.items():
        if pk not in unsettled:
            incidents.resolve(incident, actor=actors.MONITOR, now=now)


def times(versions: Sequence[ModelVersion], *, now: datetime) -> dict[int, datetime]:
    """From when on the requests of each count, by version pk: its policy's window, and not
    before GRACE after its family's traffic last changed.

    Args:
        versions: With family, its policy and its traffic; serving, or of a stage in LEFT.
    """
    return {version.pk: _since(version, now) for version in versions}


def observed(versions: Sequence[ModelVersion], counts: Counts) -> dict[int, Observed]:
    """The share of each of a family's serving versions, by version pk.

    Only where production takes what canaries leave and each has reported: no data is no evidence.
    """
    if Stage.PRODUCTION not in {version.stage for version in versions} or len(versions) < 2:
        return {}
    if not all(counts[version.pk].intervals for version in versions):
        return {}
    total = sum(counts[version.pk].requests for version in versions)
    canaries = sum(version.canary_basis_points or 0 for version in versions)
    return {
        version.pk: Observed(
            counts[version.pk].requests,
            total,
            (version.canary_basis_points or BUCKETS - canaries) / BUCKETS,
        )
        for version in versions
    }


def _since(version: ModelVersion, now: datetime) -> datetime:
    policy = policies.loaded(version.family)
    window = min(timedelta(minutes=policy.window_minutes), LONGEST)
    plan = getattr(version.family, "traffic", None) if version.is_serving else None
    changed = plan.changed_at if plan else version.stage_entered_at
    return max(changed + GRACE, now - window)


def _gone(now: datetime) -> QuerySet[ModelVersion]:
    """The versions that have served, have left traffic, and have reported requests lately."""
    recent = PerformanceSnapshot.objects.filter(
        model_version=OuterRef("pk"), timestamp__gt=now - LONGEST, num_requests__gt=0
    )
    served = StageTransition.objects.filter(version=OuterRef("pk"), from_stage__in=SERVING_STAGES)
    left = ModelVersion.objects.filter(stage__in=LEFT, stage_entered_at__lt=now - GRACE)
    return left.filter(Exists(recent), Exists(served)).select_related("family__rollback_policy")


def _shared() -> dict[int, list[ModelVersion]]:
    """The serving versions of the families with a canary."""
    serving = ModelVersion.objects.serving().filter(family__canary_basis_points__gt=0)
    families: dict[int, list[ModelVersion]] = {}
    for version in serving.select_related("family__rollback_policy", "family__traffic"):
        families.setdefault(version.family_id, []).append(version)
    return families


def _standing() -> QuerySet[Incident]:
    return Incident.objects.filter(kind=IncidentKind.TRAFFIC_IGNORED, resolved_at=None)


def _still_asked(gone: Sequence[ModelVersion], counts: Counts) -> Iterator[Disobedience]:
    for version in gone:
        requests = counts[version.pk].requests
        if requests:
            rolled_back = version.stage == Stage.ROLLBACK
            yield Disobedience(
                version,
                Severity.CRITICAL if rolled_back else Severity.WARNING,
                f"{version} is in {version.stage}, but has reported {requests:,} requests of "
                f"intervals that began over {GRACE.seconds} s after it left traffic.",
            )


def _off_share(shared: Families, counts: Counts) -> Iterator[Disobedience]:
    for version, seen in _canaries(shared, counts):
        if seen.is_off:
            yield Disobedience(
                version,
                Severity.WARNING,
                f"{version} gets {100 * seen.share:.1f} % of {seen.total:,} requests, and should get "
                f"{100 * seen.desired:.1f} %.",
            )


def _unsettled(shared: Families, counts: Counts) -> set[int]:
    """The canaries of which it is not seen that their share is right."""
    right = {version.pk for version, seen in _canaries(shared, counts) if seen.is_near}
    canaries = {v.pk for versions in shared.values() for v in versions if v.canary_basis_points}
    return canaries - right


def _canaries(shared: Families, counts: Counts) -> Iterator[tuple[ModelVersion, Observed]]:
    for versions in shared.values():
        seen = observed(versions, counts)
        for version in versions:
            if version.pk in seen and version.stage == Stage.CANARY:
                yield version, seen[version.pk]


@transaction.atomic
def _open(found: Disobedience, standing: Incident | None, now: datetime) -> None:
    """Open it, or join the one that was less grave; not where the version has moved meanwhile."""
    if standing is not None and standing.severity in (found.severity, Severity.CRITICAL):
        return
    version = lifecycle.lock(found.version)
    if version.stage != found.version.stage:
        return
    incidents.open_for(
        version,
        IncidentKind.TRAFFIC_IGNORED,
        severity=found.severity,
        summary=found.summary,
        actor=actors.MONITOR,
        now=now,
    )
