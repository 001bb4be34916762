"""Incidents over HTTP: dealing with one, its timeline, its post-mortem, and following a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from monitoring.models import Incident
from registry.models import ApiToken, Event, ModelVersion
from tests.monitoring.browsing import open_incident

Maker = Callable[..., ModelVersion]
Api = Callable[..., APIClient]
ROOT = "/api/model-registry"

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident(make_version: Maker) -> Incident:
    return open_incident(make_version("canary", model_id="slow"))


def place(incident: Incident, deed: str = "") -> str:
    return f"{ROOT}/incidents/{incident.pk}{deed}"


def test_an_incident_is_acknowledged_commented_on_and_resolved(
    api: Api, incident: Incident
) -> None:
    olga = api("operator", username="olga")

    at_it = olga.post(place(incident, "/acknowledge"))
    said = olga.post(place(incident, "/comments"), {"text": "The feed is late."}, format="json")
    done = olga.post(place(incident, "/resolve"), {"note": "It is back."}, format="json")

    assert at_it.json()["acknowledged_by"].startswith("user:")
    assert (said.status_code, said.json()["text"]) == (201, "The feed is late.")
    assert done.json()["resolution"] == "It is back."
    assert done.json()["resolved_by"] == at_it.json()["acknowledged_by"]


@pytest.mark.parametrize("deed", ["/acknowledge", "/resolve"])
def test_a_second_time_changes_nothing(api: Api, incident: Incident, deed: str) -> None:
    first = api("operator", username="olga").post(place(incident, deed)).json()
    events = Event.objects.count()

    second = api("reviewer", username="rita").post(place(incident, deed))

    assert (second.status_code, second.json()) == (200, first)
    assert Event.objects.count() == events


@pytest.mark.parametrize("deed", ["/acknowledge", "/resolve"])
def test_nobody_changes_what_they_have_not_read(api: Api, incident: Incident, deed: str) -> None:
    olga = api("operator")
    read = olga.get(place(incident))["ETag"]
    olga.post(place(incident, "/acknowledge"))

    answer = olga.post(place(incident, deed), HTTP_IF_MATCH=read)

    assert answer.status_code == 412


def test_a_repeated_comment_is_said_once(api: Api, incident: Incident) -> None:
    olga = api("operator")
    said: Any = {"path": place(incident, "/comments"), "data": {"text": "Late."}, "format": "json"}

    first, second = (olga.post(**said, HTTP_IDEMPOTENCY_KEY="one") for _ in range(2))

    assert first.json() == second.json()
    assert Event.objects.filter(event_type="incident.commented").count() == 1


@pytest.mark.parametrize(
    ("deed", "body", "pointer", "says"),
    [
        ("/comments", {}, "/text", "required"),
        ("/comments", {"text": ""}, "/text", "blank"),
        ("/comments", {"text": " \n "}, "/text", "at least one word"),
        ("/comments", {"text": "a" * 4001}, "/text", "4000"),
        ("/comments", {"text": "a\u200bb"}, "/text", "printable"),
        ("/comments", {"text": 1}, "/text", "string"),
        ("/comments", {"text": "a", "by": "me"}, "/by", "no such field"),
        ("/resolve", {"note": 1}, "/note", "string"),
        ("/resolve", {"why": "a"}, "/why", "no such field"),
        ("/acknowledge", {"by": "me"}, "/by", "no such field"),
    ],
)
def test_bad_words_are_refused_by_field(
    api: Api, incident: Incident, deed: str, body: dict[str, Any], pointer: str, says: str
) -> None:
    answer = api("operator").post(place(incident, deed), body, format="json")

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert says in error["detail"]
    assert Event.objects.filter(event_type__startswith="incident.").count() == 1


def test_the_timeline_is_the_ledger_s_in_order(api: Api, incident: Incident) -> None:
    olga = api("operator", username="olga")
    olga.post(place(incident, "/acknowledge"))
    olga.post(place(incident, "/comments"), {"text": "The feed is late."}, format="json")
    olga.post(place(incident, "/resolve"))

    told = olga.get(place(incident, "/timeline")).json()

    own = [e for e in told["entries"] if (e["event_type"] or "").startswith("incident.")]
    assert [(e["title"], e["actor"]) for e in own] == [
        ("Incident opened", "user:404"),
        ("Incident acknowledged", "olga"),
        ("Comment", "olga"),
        ("Incident resolved", "olga"),
    ]
    assert own[2]["words"] == ["The feed is late."]
    assert [e["at"] for e in told["entries"]] == sorted(e["at"] for e in told["entries"])
    assert told["left_out"] == 0


@pytest.mark.parametrize("accept", ["*/*", "text/markdown", "application/json"])
def test_a_post_mortem_is_markdown(api: Api, incident: Incident, accept: str) -> None:
    answer = api("trainer").get(place(incident, "/post-mortem"), HTTP_ACCEPT=accept)

    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert "| Severity | critical |" in answer.content.decode()


def test_no_incident_is_a_problem_also_for_who_wants_markdown(api: Api) -> None:
    answer = api("trainer").get(f"{ROOT}/incidents/9/post-mortem", HTTP_ACCEPT="text/markdown")

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert b"GET incidents lists" in answer.content


def test_a_model_is_followed_and_unfollowed_by_the_caller(api: Api, make_version: Maker) -> None:
    make_version(name="Spam")
    rita, where = api("reviewer", username="rita"), f"{ROOT}/families/Spam/following"

    before = rita.get(where).json()
    after = rita.put(where).json()
    gone = rita.delete(where).json()

    assert before == {
        "family": "Spam", "follows": False, "told_of_critical": False, "said_at": None
    }  # fmt: skip
    assert (after["follows"], after["told_of_critical"]) == (True, True)
    assert (gone["follows"], gone["told_of_critical"]) == (False, False)


def test_operators_follow_all_until_they_say_otherwise(api: Api, make_version: Maker) -> None:
    make_version(name="Spam")
    olga, where = api("operator", username="olga"), f"{ROOT}/families/Spam/following"

    assert olga.get(where).json()["follows"] is True
    gone = olga.delete(where).json()
    assert (gone["follows"], gone["told_of_critical"]) == (False, True)
    assert olga.get(where).json() == gone


def test_a_model_that_is_not_there_is_not_followed(api: Api) -> None:
    assert api("reviewer").put(f"{ROOT}/families/Nothing/following").status_code == 404


def test_a_token_of_another_team_does_not_deal_with_it(api: Api, incident: Incident) -> None:
    stranger = api("operator", team="search")

    assert stranger.post(place(incident, "/acknowledge")).status_code == 403
    assert ApiToken.objects.filter(team="search", scopes__contains="incidents:write").exists()
