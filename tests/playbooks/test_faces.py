"""Playbooks and runs over HTTP and on the operations pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from monitoring import rollbacks
from monitoring.models import PlaybookRun
from monitoring.playbooks import engine
from registry.models import Event, ModelVersion
from tests.conftest import NOW
from tests.monitoring.browsing import text
from tests.monitoring.makers import enter, report
from tests.playbooks.makers import begin, book, worry

Maker = Callable[..., ModelVersion]
Api = Callable[..., APIClient]
BASE = "/api/model-registry"

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(make_version: Maker) -> PlaybookRun:
    """A rollback under way: people are still to be told."""
    canary = enter(make_version("canary"))
    report(canary, error_rate=0.5)
    rollbacks.request_if_degraded(canary, now=NOW)
    engine.answer(Event.objects.get(event_type=rollbacks.REQUESTED))
    return PlaybookRun.objects.get()


def test_the_api_lists_playbooks(api: Api) -> None:
    (found,) = api("serving").get(f"{BASE}/playbooks").json()["playbooks"]

    assert (found["name"], found["own"]) == ("model_rollback", True)
    assert found["event_type"] == "model.rollback.requested"
    assert found["steps"][1] == {"name": "switch stage", "kind": "switch_stage"}


def test_the_api_tells_of_a_run_and_its_steps(api: Api, run: PlaybookRun) -> None:
    found = api("serving").get(f"{BASE}/playbook-runs/{run.pk}").json()

    assert (found["state"], found["digest"]) == ("running", run.digest)
    assert found["definition"] == run.definition
    assert [step["state"] for step in found["steps"]] == ["done"] * 5 + ["pending"] * 2
    assert found["steps"][3]["result"]["incident_id"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2),
        ({"state": "running"}, 1),
        ({"state": "failed"}, 0),
        ({"playbook": "plain"}, 1),
        ({"model_id": "nobody"}, 0),
    ],
)
def test_the_api_filters_runs(
    api: Api, run: PlaybookRun, query: dict[str, str], count: int
) -> None:
    begin(book(), worry())

    assert len(api("serving").get(f"{BASE}/playbook-runs", query).json()["runs"]) == count


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("playbook-runs?state=tired", 400),
        ("playbook-runs?sort=up", 400),
        ("playbook-runs/999999", 404),
        ("playbook-runs/99999999999999999999", 404),
    ],
)
def test_the_api_refuses_what_there_is_not(api: Api, path: str, status: int) -> None:
    assert api("serving").get(f"{BASE}/{path}").status_code == status


@pytest.mark.parametrize("path", ["playbooks", "playbook-runs", "playbook-runs/1"])
def test_nobody_reads_runs_without_a_token(api: Api, path: str) -> None:
    assert api().get(f"{BASE}/{path}").status_code == 401


def test_the_list_of_runs_takes_as_many_queries_for_many(
    api: Api, run: PlaybookRun, make_version: Maker, django_assert_num_queries: Any
) -> None:
    client = api("serving")
    client.get(f"{BASE}/playbook-runs")
    with django_assert_num_queries(2):
        client.get(f"{BASE}/playbook-runs")
    for _ in range(5):
        begin(book(), worry(make_version()))
    with django_assert_num_queries(2):
        client.get(f"{BASE}/playbook-runs")


def test_pages_show_what_ran_and_what_there_is(reviewer: Client, run: PlaybookRun) -> None:
    said = text(reviewer.get("/playbooks/"))

    assert f"#{run.pk} model_rollback" in said
    assert "freeze promotions → switch stage → publish traffic" in said


def test_the_page_of_runs_takes_as_many_queries_for_many(
    reviewer: Client,
    make_version: Maker,
    django_assert_num_queries: Any,
) -> None:
    begin(book(), worry(make_version()))
    with django_assert_num_queries(6):
        reviewer.get("/playbooks/")
    for _ in range(5):
        begin(book(), worry(make_version()))
    with django_assert_num_queries(6):
        reviewer.get("/playbooks/")


def test_a_quiet_registry_says_that_nothing_ran(reviewer: Client) -> None:
    assert "Nothing has run yet" in text(reviewer.get("/playbooks/"))


def test_a_run_s_page_tells_every_step(reviewer: Client, run: PlaybookRun) -> None:
    page = reviewer.get(f"/playbooks/runs/{run.pk}/")

    said = text(page)
    assert "Open incident" in said
    assert "its next step is due" in said
    assert "playbook: model_rollback" in said
    assert b"/live/runs/" in page.content  # it refreshes itself while it is under way
    assert reviewer.get("/playbooks/runs/999999/").status_code == 404


def test_an_ended_run_s_page_stands_still(reviewer: Client) -> None:
    run = begin(book(), worry())

    page = reviewer.get(f"/playbooks/runs/{run.pk}/")

    assert b"/live/runs/" not in page.content
    assert "it has been edited since" in text(page)  # it is on no shelf


def test_a_fragment_that_has_not_changed_is_not_sent_again(
    reviewer: Client,
    run: PlaybookRun,
) -> None:
    first = reviewer.get(f"/live/runs/{run.pk}/")

    again = reviewer.get(f"/live/runs/{run.pk}/", headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)


def test_the_incident_and_the_model_lead_to_the_run(
    reviewer: Client,
    run: PlaybookRun,
) -> None:
    assert run.version is not None
    link = f'href="/playbooks/runs/{run.pk}/"'.encode()
    incident = run.version.incidents.get()

    assert link in reviewer.get(f"/incidents/{incident.pk}/").content
    assert link in reviewer.get(f"/models/{run.version.model_id}/").content
