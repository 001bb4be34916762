"""The channel that always works: the log."""

from __future__ import annotations

import logging

from registry.models import Event

log = logging.getLogger("assay.incidents")


def announce(event: Event) -> None:
    """Write an opened incident to the log."""
    payload = event.payload
    log.warning(
        "incident %s %s %s: %s",
        payload["incident_id"],
        payload["severity"],
        payload["kind"],
        payload["summary"],
    )


def tell(about: str, message: str, key: str) -> None:
    """Write what a playbook has to say to the log."""
    log.warning("%s %s: %s", key, about, message)
