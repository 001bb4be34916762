"""Fragments that refresh themselves: only what changes, and nothing while nothing does."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.models import ModelVersion
from tests.monitoring.browsing import open_incident, text

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


def test_a_fragment_that_has_not_changed_has_no_body(reviewer: Client, make_version: Maker) -> None:
    version = make_version(model_id="still")
    hour_ago = timezone.now() - timedelta(minutes=90)
    ModelVersion.objects.filter(pk=version.pk).update(stage_entered_at=hour_ago)

    first = reviewer.get("/live/models/")
    again = reviewer.get("/live/models/", headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""
    assert first["Cache-Control"] == "private, no-cache"


def test_a_fragment_changes_with_what_it_shows(reviewer: Client, make_version: Maker) -> None:
    first = reviewer.get("/live/open/")
    open_incident(make_version("canary"))

    again = reviewer.get("/live/open/", headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 200
    assert text(again) == "1 open"


def test_the_live_fragment_brings_the_parts_that_change_and_no_more(
    reviewer: Client, make_version: Maker
) -> None:
    make_version("canary", model_id="scorer")

    body = reviewer.get("/live/models/scorer/?range=hour").content.decode()

    assert re.findall(r'<(?:div|section) class="[^"]*" id="(\w+)"', body) == [
        "live",
        "behaviour",
        "traffic",
        "progression",
    ]
    assert body.count('hx-swap-oob="outerMorph"') == 3
    assert (
        "csrfmiddlewaretoken" not in body
    )  # another one each time, so nothing were ever unchanged
    assert 'hx-get="/live/models/scorer/?range=hour"' in body


def test_the_live_fragment_takes_a_fixed_number_of_queries(
    reviewer: Client, make_version: Maker
) -> None:
    canary = make_version("canary", model_id="scorer")

    with CaptureQueriesContext(connection) as captured:
        reviewer.get("/live/models/scorer/")
    few = len(captured)
    for _ in range(5):
        open_incident(canary)
        make_version()
    with CaptureQueriesContext(connection) as captured:
        reviewer.get("/live/models/scorer/")

    assert len(captured) == few <= 20
