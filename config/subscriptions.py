"""Who hears of what: the whole asynchronous wiring as one table."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from registry.ledger.events import Kind, Subscriber

# What manifests say changes with these, and only with these.
KEEP_MANIFESTS = Subscriber("registry.manifests.mirror.keep_current", Kind.OUTSIDE)
MANIFESTS = {"model.*": (KEEP_MANIFESTS,), "policy.*": (KEEP_MANIFESTS,)}

SUBSCRIPTIONS: Mapping[str, tuple[Subscriber, ...]] = {
    "model.rollback.requested": (Subscriber("monitoring.playbooks.model_rollback"),),
    "incident.opened": (
        Subscriber("monitoring.notifications.log.announce", Kind.OUTSIDE),
        Subscriber("monitoring.notifications.mail.announce", Kind.OUTSIDE),
    ),
} | (MANIFESTS if settings.ASSAY_YAML_DIR else {})
