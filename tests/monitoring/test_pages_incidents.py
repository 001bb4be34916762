"""Incidents: the list with its filters, one incident, and resolving it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from monitoring import incidents as incident_verbs
from registry import actors
from registry.models import Event, ModelVersion
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


@pytest.mark.parametrize("deed", ["acknowledge", "comment", "resolve"])
def test_trainers_may_look_and_not_deal_with_it(
    trainer_in: Client, make_version: Maker, deed: str
) -> None:
    incident = open_incident(make_version("canary"))

    page = trainer_in.get(f"/incidents/{incident.pk}/")

    assert f"/{deed}/".encode() not in page.content
    answer = trainer_in.post(f"/incidents/{incident.pk}/{deed}/", {"text": "Mine."})
    assert answer.status_code == 403
    assert Event.objects.latest("pk").event_type == "incident.opened"


def test_reviewers_deal_with_it_as_operators_do(reviewer: Client, make_version: Maker) -> None:
    incident = open_incident(make_version("canary"))
    place = f"/incidents/{incident.pk}"

    at_it = text(reviewer.post(f"{place}/acknowledge/", follow=True))
    reviewer.post(f"{place}/comment/", {"text": "The feed is late."})
    done = text(reviewer.post(f"{place}/resolve/", {"text": "It is back."}, follow=True))

    assert "rita is at it" in at_it
    assert "Comment The feed is late." in done
    assert "Resolution It is back." in done


def test_who_comes_second_is_told_who_is_at_it(
    operator: Client, make_version: Maker, user_with: Callable[..., User]
) -> None:
    incident = open_incident(make_version("canary"))
    first = actors.actor_of(user_with("operator", username="otto"))
    incident_verbs.acknowledge(incident, actor=first, now=timezone.now())

    answer = operator.post(f"/incidents/{incident.pk}/acknowledge/", follow=True)

    assert f"otto is at incident {incident.pk} already." in text(answer)
    assert "otto is at it" in text(operator.get("/incidents/"))


def test_an_empty_comment_is_a_sentence_not_a_fault(operator: Client, make_version: Maker) -> None:
    incident = open_incident(make_version("canary"))

    answer = operator.post(f"/incidents/{incident.pk}/comment/", {"text": " "})

    assert answer.status_code == 400
    assert "a comment has at least one word" in text(answer)


def test_a_post_mortem_is_a_file(reviewer: Client, make_version: Maker) -> None:
    incident = open_incident(make_version("canary", model_id="slow"))

    answer = reviewer.get(f"/incidents/{incident.pk}/post-mortem/")

    name = f"incident-{incident.pk}-post-mortem.md"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.content.decode().startswith("# Post-mortem: breach, not acted on, slow\n")


def test_a_model_is_followed_by_a_button(reviewer: Client, make_version: Maker) -> None:
    version = make_version("canary", model_id="slow")
    before = text(reviewer.get("/models/slow/"))

    after = text(reviewer.post("/models/slow/follow/", {"follow": "yes"}, follow=True))

    assert "You are not told of incidents of Fraud Detector." in before
    assert "You are told of every incident of Fraud Detector. Followed by rita." in after
    assert reviewer.post("/models/slow/follow/", {"follow": "no"}).status_code == 302
    assert list(version.family.followings.values_list("follows", flat=True)) == [False]


def test_following_takes_yes_or_no(reviewer: Client, make_version: Maker) -> None:
    make_version("canary", model_id="slow")

    assert reviewer.post("/models/slow/follow/", {"follow": "maybe"}).status_code == 400


def test_the_pages_take_a_fixed_number_of_queries(
    operator: Client, make_version: Maker, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        incident = open_incident(make_version("canary", model_id=f"m{number}", share=5))
        incident_verbs.acknowledge(incident, actor="user:404", now=timezone.now())
        for word in ("One.", "Two.", "Three."):
            incident_verbs.comment(incident, word, actor="user:404")

    for path, queries in (
        ("/incidents/", 10),
        (f"/incidents/{incident.pk}/", 16),
        (f"/live/incidents/{incident.pk}/", 12),
    ):
        with django_assert_num_queries(queries):
            operator.get(path)


def test_an_incident_page_shows_reasons_and_what_happened(
    reviewer: Client, make_version: Maker
) -> None:
    incident = open_incident(make_version("canary", model_id="slow"))

    said = text(reviewer.get(f"/incidents/{incident.pk}/"))

    assert "Breach, not acted on: slow" in said
    assert "Reasons p95 latency 431 ms > 390 ms" in said
    assert "Incident opened" in said
