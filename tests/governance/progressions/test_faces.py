"""Progressions by API, on the model's page, and by beat's tasks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from governance import tasks
from governance.models import Progression
from governance.progressions.steps import Step
from registry.models import ModelVersion
from tests.governance.makers import record_traffic, settle_both
from tests.governance.progressions.conftest import Watch

Api = Callable[..., APIClient]
Begin = Callable[..., Progression]
Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


def address(version: ModelVersion) -> str:
    return f"/api/model-registry/models/{version.model_id}/progression"


@pytest.fixture
def reviewed(watch: Watch, make_version: Maker, ada: User) -> ModelVersion:
    version = make_version("sandbox")
    settle_both(version, ada)
    return version


def test_a_progression_is_started_read_and_steered(api: Api, reviewed: ModelVersion) -> None:
    operator, asked = api("operator"), [{"percentage": 5, "minutes": 30}, {"percentage": 100}]

    started = operator.post(address(reviewed), {"steps": asked, "note": "Slowly."}, format="json")
    read = operator.get(address(reviewed))
    known = operator.get(address(reviewed), HTTP_IF_NONE_MATCH=read["ETag"])
    paused = operator.patch(
        address(reviewed), {"action": "pause"}, format="json", HTTP_IF_MATCH=read["ETag"]
    )
    stale = operator.patch(
        address(reviewed), {"action": "resume"}, format="json", HTTP_IF_MATCH=read["ETag"]
    )
    resumed = operator.patch(address(reviewed), {"action": "resume"}, format="json")
    early = operator.patch(address(reviewed), {"action": "advance"}, format="json")
    aborted = operator.patch(address(reviewed), {"action": "abort"}, format="json")
    over = operator.patch(address(reviewed), {"action": "pause"}, format="json")

    assert started.status_code == 201
    body = started.json()
    assert (body["state"], body["position"], body["note"]) == ("running", 0, "Slowly.")
    assert body["steps"][0] == {
        "percentage": 5,
        "minutes": 30,
        "min_requests": 100,
        "wait": False,
        "deadline_minutes": None,
    }
    assert (read.json(), known.status_code) == (body, 304)
    assert paused.json()["state"] == "paused"
    assert (stale.status_code, resumed.json()["state"]) == (412, "running")
    assert (early.status_code, over.status_code) == (409, 409)
    assert "0 of 100 requests in this step." in early.json()["detail"]
    assert aborted.json()["state"] == "aborted"
    assert aborted.json()["waits_for"] == ["Somebody aborted it."]


def test_no_body_means_the_usual_steps(api: Api, reviewed: ModelVersion) -> None:
    started = api("operator").post(address(reviewed))

    assert [step["percentage"] for step in started.json()["steps"]] == [5, 10, 25, 50, 100]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"steps": []}, 400),
        ({"steps": [{"percentage": 0}, {"percentage": 100}]}, 400),
        ({"steps": [{"percentage": 5, "minutes": True}, {"percentage": 100}]}, 400),
        ({"steps": [{"percentage": 5, "hours": 1}, {"percentage": 100}]}, 400),
        ({"note": "\x00"}, 400),
        ({"steps": [{"percentage": 5}]}, 422),
        ({"steps": [{"percentage": 50}, {"percentage": 5}]}, 422),
    ],
)
def test_steps_that_make_no_sense_are_refused(
    api: Api, reviewed: ModelVersion, body: dict[str, Any], status: int
) -> None:
    answer = api("operator").post(address(reviewed), body, format="json")

    assert answer.status_code == status
    assert not Progression.objects.exists()


def test_a_closed_gate_says_what_is_missing(api: Api, make_version: Maker) -> None:
    version = make_version("sandbox")

    answer = api("operator").post(address(version))

    assert answer.status_code == 409
    assert len(answer.json()["blockers"]) == 3
    assert api("operator").get(address(version)).status_code == 404


def test_an_unknown_action_is_refused_and_the_others_are_named(
    api: Api, reviewed: ModelVersion
) -> None:
    answer = api("operator").patch(address(reviewed), {"action": "hurry"}, format="json")

    assert answer.status_code == 400
    assert "pause, resume, advance, abort" in answer.json()["detail"]


def test_the_page_shows_the_steps_and_what_is_waited_for(
    client: Client, user_with: Callable[..., User], begin: Begin, watch: Watch
) -> None:
    progression = begin(Step(5), Step(100, wait=True))
    watch.pass_step(progression.version)
    client.force_login(user_with("operator", username="olga"))
    page = f"/models/{progression.version.model_id}/"

    waiting = client.get(page).content.decode()
    done = client.post(f"{page}progression/", {"action": "advance", "note": "Looks fine."})
    after = client.get(page).content.decode()

    assert "A person lets it into production." in waiting
    assert 'value="advance"' in waiting
    assert done.status_code == 302
    assert "It is in production." in after
    assert 'value="advance"' not in after


def test_what_the_page_shows_of_it_keeps_itself_fresh(
    client: Client, user_with: Callable[..., User], begin: Begin, watch: Watch
) -> None:
    version = begin(Step(5), Step(100, wait=True)).version
    client.force_login(user_with("operator", username="olga"))
    page, live = f"/models/{version.model_id}/", f"/live/models/{version.model_id}/"
    whole = client.get(page).content.decode()

    first = client.get(live)
    still = client.get(live, headers={"If-None-Match": first["ETag"]})
    watch.pass_step(version)
    later = client.get(live, headers={"If-None-Match": first["ETag"]}).content.decode()

    assert whole.count('<form id="steer"') == 1
    assert still.status_code == 304
    assert 'id="progression"' in later
    assert "A person lets it into production." in later
    assert later.count('form="steer"') == whole.count('form="steer"') == 4
    assert '<form id="steer"' not in later


def test_who_may_not_deploy_sees_no_buttons(
    client: Client, user_with: Callable[..., User], begin: Begin
) -> None:
    progression = begin()
    client.force_login(user_with("serving", username="sue"))

    page = client.get(f"/models/{progression.version.model_id}/").content.decode()

    assert "Canary progression" in page
    assert 'name="action"' not in page


def test_beat_sends_one_task_for_each_that_is_due(
    begin: Begin, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks.advance_canary, "delay", sent.append)
    first, second = begin(Step(5), Step(100)), begin(Step(5), Step(100))
    begin(Step(5, minutes=11), Step(100))
    watch.turn(minutes=10)
    record_traffic(second.version, at=watch.now - timedelta(seconds=1))

    tasks.advance_canaries()
    for pk in sent:
        tasks.advance_canary(pk)

    assert sent == [first.pk, second.pk]
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.waits_for[0] == "0 of 100 requests in this step."
    assert (first.state, second.state) == ("running", "done")
