"""Who hears of what: the whole asynchronous wiring as one table."""

from __future__ import annotations

from collections.abc import Mapping

from registry.ledger.events import Kind, Subscriber

SUBSCRIPTIONS: Mapping[str, tuple[Subscriber, ...]] = {
    "model.rollback.requested": (Subscriber("monitoring.playbooks.model_rollback"),),
    "incident.opened": (
        Subscriber("monitoring.notifications.log.announce", Kind.OUTSIDE),
        Subscriber("monitoring.notifications.mail.announce", Kind.OUTSIDE),
    ),
}
