"""Who hears of what: the whole asynchronous wiring as one table."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from monitoring.playbooks import shelf
from registry.ledger.events import Kind, Subscriber

Table = Mapping[str, tuple[Subscriber, ...]]

# Playbooks say themselves what starts them, ours and the users'.
PLAYBOOKS = Subscriber("monitoring.playbooks.engine.answer")
ANSWERED = dict.fromkeys(shelf.shelf().event_types, (PLAYBOOKS,))

# What manifests say changes with these, and only with these.
KEEP_MANIFESTS = Subscriber("registry.manifests.mirror.keep_current", Kind.OUTSIDE)
MANIFESTS = {"model.*": (KEEP_MANIFESTS,), "policy.*": (KEEP_MANIFESTS,)}

CHANNELS = (
    Subscriber("monitoring.notifications.log.announce", Kind.OUTSIDE),
    Subscriber("monitoring.notifications.mail.announce", Kind.OUTSIDE),
    Subscriber("monitoring.notifications.inbox.announce", Kind.OUTSIDE),
)
NOTIFIED = dict.fromkeys(("incident.opened", "incident.escalated"), CHANNELS)


def joined(*tables: Table) -> Table:
    """One table of them all: a type may have subscribers in several."""
    types = dict.fromkeys(event_type for table in tables for event_type in table)
    return {
        event_type: tuple(s for table in tables for s in table.get(event_type, ()))
        for event_type in types
    }


SUBSCRIPTIONS: Table = joined(ANSWERED, NOTIFIED, MANIFESTS if settings.ASSAY_YAML_DIR else {})
