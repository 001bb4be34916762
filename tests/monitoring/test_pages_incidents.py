"""Incidents: the list with its filters, one incident, and resolving it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from monitoring import incidents as incident_verbs
from registry.models import ModelVersion
from tests.monitoring.browsing import open_incident, text

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


def test_open_incidents_stand_before_newer_resolved_ones(
    reviewer: Client, make_version: Maker
) -> None:
    first = open_incident(make_version("canary", model_id="first"))
    second = open_incident(make_version("canary", model_id="second"))
    incident_verbs.resolve(second, actor="user:404", now=timezone.now())

    said = text(reviewer.get("/incidents/"))

    assert said.index(f"#{first.pk} ") < said.index(f"#{second.pk} ")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["a", "b"]),
        ("state=open", ["a"]),
        ("state=resolved", ["b"]),
        ("team=search", ["b"]),
        ("kind=breach", ["a", "b"]),
        ("kind=no_data", []),
    ],
)
def test_incidents_are_filtered(
    reviewer: Client, make_version: Maker, query: str, shown: list[str]
) -> None:
    open_incident(make_version("canary", model_id="a"))
    resolved = open_incident(make_version("canary", model_id="b", team="search"))
    incident_verbs.resolve(resolved, actor="user:404", now=timezone.now())

    body = reviewer.get(f"/incidents/?{query}").content.decode()

    assert re.findall(r'href="/models/(\w)/"', body) == shown


def test_a_quiet_day_is_said_to_be_one(reviewer: Client) -> None:
    assert "No incidents" in text(reviewer.get("/incidents/"))


def test_an_incident_is_resolved_in_the_readers_name(operator: Client, make_version: Maker) -> None:
    incident = open_incident(make_version("canary"))

    answer = operator.post(f"/incidents/{incident.pk}/resolve/", follow=True)

    incident.refresh_from_db()
    assert incident.resolved_at is not None
    said = text(answer)
    assert f"Incident {incident.pk} is resolved." in said
    assert "by olga" in said


def test_those_who_may_not_roll_back_may_not_resolve(reviewer: Client, make_version: Maker) -> None:
    incident = open_incident(make_version("canary"))

    page = reviewer.get(f"/incidents/{incident.pk}/")

    assert b"/resolve/" not in page.content
    assert reviewer.post(f"/incidents/{incident.pk}/resolve/").status_code == 403
    incident.refresh_from_db()
    assert incident.resolved_at is None


def test_an_incident_page_shows_reasons_and_what_happened(
    reviewer: Client, make_version: Maker
) -> None:
    incident = open_incident(make_version("canary", model_id="slow"))

    said = text(reviewer.get(f"/incidents/{incident.pk}/"))

    assert "Breach, not acted on: slow" in said
    assert "Reasons p95 latency 431 ms > 390 ms" in said
    assert "Incident opened" in said
