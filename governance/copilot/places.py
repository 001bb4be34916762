"""Where the records stand that replies cite."""

from __future__ import annotations

from urllib.parse import quote

from django.urls import reverse

from governance.copilot.replies import Record
from monitoring.models import Incident
from registry.models import Event, ModelVersion


def of_version(version: ModelVersion) -> Record:
    """The version's page."""
    return Record(version.model_id, reverse("model", args=[version.model_id]))


def history_of(event: Event) -> str:
    """The page that lists an event."""
    if event.version is None:
        return reverse("models")
    return reverse("model-history", args=[event.version.model_id]) + f"?before={event.pk + 1}"


def incident_record(incident: Incident) -> Record:
    """The incident's page."""
    return Record(f"incident {incident.pk}", reverse("incident", args=[incident.pk]))


def quoted(name: str) -> str:
    """A name as a part of an address."""
    return quote(name, safe="")
