"""/metrics for Prometheus: what the web processes counted, and what database and broker know.

The second kind is read when asked, in a handful of indexed queries; no query may take over two
seconds, and none looks at snapshots.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

from django.db import connection, transaction
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config import access, heartbeats, problems
from monitoring.models import Incident, RecordedVerdict, Severity
from monitoring.triggers import Verdict
from registry import clock, counting, tokens
from registry.models import Delivery, DeliveryState, Event, ModelVersion

FILES = "PROMETHEUS_MULTIPROC_DIR"
SLOWEST = "2s"
QUEUES = ("control", "outside", "cpu", "gpu")


class Source(Protocol):
    """Something that gives metrics when asked."""

    def collect(self) -> Iterator[Metric]: ...


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics as text, for this machine or for a token that may read."""
    if not _may_read(request):
        return problems.refuse(
            request, 401, "Ask from this machine, or with a token that may read the registry."
        )
    return HttpResponse(collected(), content_type=CONTENT_TYPE_LATEST)


def collected() -> bytes:
    """Everything, as Prometheus reads it."""
    registry = CollectorRegistry()
    if os.environ.get(FILES):
        multiprocess.MultiProcessCollector(registry)
    else:
        registry.register(counting.own)
    registry.register(Shared())
    return generate_latest(registry)


class Shared:
    """What database and broker know, whichever process asks."""

    def collect(self) -> Iterator[Metric]:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"set local statement_timeout = '{SLOWEST}'")
            yield from _deliveries()
            yield _verdicts()
            yield _incidents()
            rollbacks = Event.objects.filter(event_type="model.rolled_back").count()
            yield CounterMetricFamily(
                "assay_rollbacks", "Rollbacks recorded, by whomever.", value=rollbacks
            )
        yield _queues()
        yield _lags()


def _deliveries() -> Iterator[Metric]:
    owed = Delivery.objects.filter(state=DeliveryState.OWED)
    found = owed.aggregate(count=Count("pk"), oldest=Min("event__timestamp"))
    parked = Delivery.objects.filter(state=DeliveryState.PARKED).count()
    states = GaugeMetricFamily(
        "assay_deliveries", "Deliveries that are owed or parked.", labels=["state"]
    )
    states.add_metric(["owed"], found["count"])
    states.add_metric(["parked"], parked)
    yield states
    age = (clock.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    yield GaugeMetricFamily(
        "assay_oldest_owed_delivery_seconds", "Age of the oldest event still owed.", value=age
    )


def _verdicts() -> Metric:
    latest = (
        RecordedVerdict.objects.filter(version__in=ModelVersion.objects.serving())
        .order_by("version_id", "-pk")
        .distinct("version_id")
    )
    said = list(latest.values_list("verdict", flat=True))
    family = GaugeMetricFamily(
        "assay_serving_versions", "Serving versions by their latest verdict.", labels=["verdict"]
    )
    for verdict in Verdict:
        family.add_metric([verdict.value], said.count(verdict.value))
    return family


def _incidents() -> Metric:
    rows = Incident.objects.filter(resolved_at=None).order_by().values_list("severity")
    found = dict(rows.annotate(n=Count("pk")))
    family = GaugeMetricFamily("assay_open_incidents", "Open incidents.", labels=["severity"])
    for severity in Severity.values:
        family.add_metric([severity], found.get(severity, 0))
    return family


def _queues() -> Metric:
    family = GaugeMetricFamily(
        "assay_queue_tasks", "Tasks that wait in a Celery queue.", labels=["queue"]
    )
    for queue, waiting in heartbeats.waiting(QUEUES).items():
        family.add_metric([queue], waiting)
    return family


def _lags() -> Metric:
    family = GaugeMetricFamily(
        "assay_heartbeat_lag_seconds",
        "Time since a worker of the queue took a tick.",
        labels=["queue"],
    )
    for queue, lag in heartbeats.lags().items():
        family.add_metric([queue], float("inf") if lag is None else lag)
    return family


def _may_read(request: HttpRequest) -> bool:
    if access.is_loopback_peer(request):
        return True
    try:
        found = access.TokenAuthentication().authenticate(Request(request))
    except AuthenticationFailed:
        return False
    return found is not None and tokens.READ in found[1].scopes
