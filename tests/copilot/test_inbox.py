"""Notices: who gets them, once, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from config.access import LOCAL_USER
from governance.copilot.replies import Reply
from monitoring import notices
from monitoring.models import Notice
from monitoring.notifications import inbox
from registry.ledger import deliveries
from registry.models import Event, ModelVersion
from tests.monitoring.browsing import open_incident, text
from tests.people import People, eventually

Maker = Callable[..., ModelVersion]
Users = Callable[..., User]
API = "/api/model-registry/copilot/inbox"
OPERATOR = "otto"  # of the running product


def told(version: ModelVersion) -> Event:
    """An incident of a version, as its event tells of it."""
    open_incident(version)
    return Event.objects.filter(event_type="incident.opened").latest("pk")


def readers() -> set[str]:
    return set(Notice.objects.values_list("user__username", flat=True))


@pytest.mark.django_db
def test_the_owner_the_owning_group_and_the_operators_are_told(
    make_version: Maker, user_with: Users
) -> None:
    Group.objects.create(name="ml_team")
    people = [user_with("ml_team", username="mo"), user_with("operator", username="olga")]
    user_with("trainer", username="tom")
    User.objects.filter(pk=user_with("operator", username="gone").pk).update(is_active=False)
    event = told(make_version("canary"))

    inbox.announce(event)
    assert readers() == {LOCAL_USER, *(person.username for person in people)}

    own = make_version("canary", name="Own", owner="tom")
    inbox.announce(told(own))
    assert readers() == {LOCAL_USER, "mo", "olga", "tom"}


@pytest.mark.django_db
def test_a_delivery_that_runs_twice_tells_once(make_version: Maker, user_with: Users) -> None:
    operator = user_with("operator", "trainer", username="olga")
    event = told(make_version("canary", owner="olga"))

    inbox.announce(event)
    notices.mark_read(operator, up_to=notices.of(operator).get().pk, now=timezone.now())
    inbox.announce(event)

    assert (notices.of(operator).count(), notices.unread_count(operator)) == (1, 0)


@pytest.mark.django_db
def test_the_database_holds_one_notice_an_event(make_version: Maker, user_with: Users) -> None:
    operator, event = user_with("operator"), told(make_version("canary"))
    Notice.objects.create(user=operator, event=event)

    with pytest.raises(IntegrityError, match="one_notice_an_event"), transaction.atomic():
        Notice.objects.create(user=operator, event=event)


@pytest.mark.django_db
def test_the_delivery_of_an_opened_incident_reaches_the_inbox(
    make_version: Maker, operator: User, ask: Callable[..., Reply]
) -> None:
    event = told(make_version("canary"))

    while deliveries.send_outside(now=timezone.now):
        pass

    assert event.deliveries.get(subscriber=f"{inbox.__name__}.announce").state == "done"
    assert [notice.event for notice in notices.unread(operator)] == [event]
    assert "p95 latency is over its limit" in ask("inbox").says[1]


@pytest.mark.django_db
def test_the_inbox_by_page(make_version: Maker, operator: User) -> None:
    client = Client()
    client.force_login(operator)
    version = make_version("canary")
    for _ in range(2):
        inbox.announce(told(version))
    (notice,) = notices.unread(operator)

    page = client.get("/copilot/inbox/")
    assert "p95 latency is over its limit" in text(page)
    assert "1 unread" in text(page)

    client.post("/copilot/inbox/", {"up_to": notice.pk})
    assert "unread" not in text(client.get("/copilot/inbox/"))


@pytest.mark.django_db
def test_the_inbox_by_api_and_in_words(
    make_version: Maker,
    operator: User,
    api: Callable[..., APIClient],
    ask: Callable[..., Reply],
    confirm: Callable[..., Reply],
) -> None:
    client = api("operator", username="olga")
    inbox.announce(told(make_version("canary")))
    inbox.announce(told(make_version("canary", name="Other")))

    listed = client.get(API).json()
    assert (listed["unread"], len(listed["notices"]), listed["next"]) == (2, 2, None)
    oldest = listed["notices"][-1]["notice_id"]
    assert client.post(f"{API}/read", {"up_to": oldest}, format="json").json() == {"read": 1}
    assert ask("inbox").says[0] == "1 unread."

    plan = ask("mark all as read")
    inbox.announce(told(make_version("canary", name="Third")))
    assert confirm(plan).says == ("Done. 1 notices are read.",)
    assert ask("inbox").says[0] == "1 unread."


@pytest.mark.django_db
def test_nobody_reads_another_s_inbox(
    make_version: Maker, operator: User, api: Callable[..., APIClient]
) -> None:
    inbox.announce(told(make_version("canary")))
    newest = notices.of(operator).get().pk
    other = api("trainer", username="tom")

    assert other.get(API).json()["notices"] == []
    assert other.post(f"{API}/read", {"up_to": newest}, format="json").json() == {"read": 0}
    assert notices.unread_count(operator) == 1


@pytest.mark.django_db
def test_the_page_takes_a_fixed_number_of_queries(
    make_version: Maker, operator: User, django_assert_max_num_queries: Any
) -> None:
    client = Client()
    client.force_login(operator)
    for number in range(12):
        inbox.announce(told(make_version("canary", name=f"Model {number}")))

    with django_assert_max_num_queries(7):  # session, user, roles, notices, open, unread
        client.get("/copilot/inbox/")


def test_in_the_running_product_a_rollback_reaches_the_inbox(people: People) -> None:
    people.ask(OPERATOR, "GET", "copilot/inbox")  # there is an operator to be told
    canary = people.in_canary()
    people.report(canary, error_rate=0.3)
    people.rolled_back(canary)

    found = eventually(lambda: _noticed(people, canary))

    (incident,) = people.incidents(canary)
    assert (found["incident_id"], found["read_at"]) == (incident["incident_id"], None)
    assert found["summary"] in people.running.manage("ask", "inbox", "--as", OPERATOR)


def _noticed(people: People, model_id: str) -> dict[str, Any] | None:
    listed = people.ask(OPERATOR, "GET", "copilot/inbox")["notices"]
    return next((n for n in listed if n["model_id"] == model_id), None)
