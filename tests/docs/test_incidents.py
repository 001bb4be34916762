"""docs/incidents.md shows a post-mortem as it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from monitoring import incidents, post_mortem, rollbacks
from monitoring.models import Incident
from monitoring.pages import incidents as pages
from registry import actors, clock
from registry.ledger import deliveries
from registry.models import ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import enter, report
from tests.running import ROOT

NUMBERS = re.compile(r"(incidents/|runs/|\[|transition |run (?:id )?|event id )\d+")

pytestmark = pytest.mark.django_db


@pytest.fixture
def dealt_with(make_version: Callable[..., ModelVersion], user_with: Callable[..., User]) -> int:
    """A canary falls at noon; Olga says that she is at it, what she sees, and that it is over."""
    olga = actors.actor_of(user_with("operator", username="olga"))
    canary = enter(
        make_version("canary", model_id="fraud_detector_v2", expected_latency_p95_ms=100.0)
    )
    with clock.telling(lambda: NOW):
        report(canary, at=NOW - timedelta(seconds=10))
        report(canary, at=NOW - timedelta(seconds=1), error_rate=0.2)
        rollbacks.request_if_degraded(canary, now=NOW)
        while deliveries.deliver_to_verbs(now=clock.now) + deliveries.send_outside(now=clock.now):
            pass
    incident = Incident.objects.get()
    with clock.telling(lambda: NOW + timedelta(minutes=2)):
        incidents.acknowledge(incident, actor=olga, now=clock.now())
    with clock.telling(lambda: NOW + timedelta(minutes=5)):
        incidents.comment(incident, SEEN, actor=olga)
    with clock.telling(lambda: NOW + timedelta(minutes=31)):
        incidents.resolve(incident, actor=olga, now=clock.now(), note=DONE)
    return incident.pk


SEEN = "The payment feed has sent nulls since 11:40; its owners restart it."
DONE = "The feed is back. v2 stays out until it refuses nulls."


def test_the_example_is_what_is_written(dealt_with: int) -> None:
    page = (ROOT / "docs" / "incidents.md").read_text(encoding="utf-8")

    said = post_mortem.written(pages.story(dealt_with), "http://localhost:8000")

    shown = re.search(r"```markdown\n(.*)```\n", page, re.DOTALL)
    assert shown is not None
    assert NUMBERS.sub(r"\g<1>1", said) == shown[1]
