"""What each web process counts; config.metrics adds the processes up.

With PROMETHEUS_MULTIPROC_DIR set, which `make up` does, each process counts in files of its own
there; without it a process knows its own counts only.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

disable_created_metrics()  # with several processes there are none either

own = CollectorRegistry()  # not the library's: nothing else gets in

REQUESTS = Counter(
    "assay_http_requests", "Requests answered.", ["method", "route", "status"], registry=own
)
DURATION = Histogram(
    "assay_http_request_duration_seconds",
    "Time to answer.",
    ["method", "route"],
    registry=own,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
SNAPSHOTS = Counter(
    "assay_snapshots_received",
    "Snapshots received, by what became of them.",
    ["outcome"],
    registry=own,
)
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer. Routes are templates, so there are as many series as addresses."""
    known = method if method in METHODS else "other"  # callers may invent methods without end
    REQUESTS.labels(known, route, str(status)).inc()
    DURATION.labels(known, route).observe(seconds)
