"""docs/playbooks.md says what is so, and its example does what it says."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from monitoring import incidents
from monitoring.models import IncidentKind, Severity
from monitoring.playbooks import definition, engine, runs
from registry.models import Event, ModelVersion
from tests.playbooks.makers import pass_time, said, states

TEXT = (Path(__file__).resolve().parent.parent.parent / "docs" / "playbooks.md").read_text()

pytestmark = pytest.mark.django_db


def test_the_reference_is_the_one_that_is_printed() -> None:
    out = io.StringIO()
    call_command("check_playbooks", "--reference", stdout=out)

    assert TEXT.endswith(out.getvalue())


def test_the_example_does_what_it_says(make_version: Callable[..., ModelVersion]) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    playbook = definition.parse(example.encode(), file="shrink_on_breach.yaml")
    canary = make_version("canary", share=10)
    incidents.open_for(
        canary,
        IncidentKind.BREACH,
        severity=Severity.CRITICAL,
        summary="p95 latency is over its limit",
        actor="system:monitor",
        now=timezone.now(),
    )
    event = Event.objects.get(event_type="incident.opened")
    assert runs.asks_for(event, playbook)

    run, _ = engine.start(playbook, event, now=timezone.now())
    pass_time(since=timezone.now())

    canary.refresh_from_db()
    assert states(run) == [("shrink", "done"), ("tell", "done"), ("say so", "done")]
    assert (canary.canary_basis_points, said("team.canary_shrunk")) == (100, 1)
