"""Subscriptions: who is owed what, whose they are, and how events are lent and settled."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from rest_framework.test import APIClient

from registry.errors import Conflict, NotFound
from registry.ledger import debts, deliveries, events, leases, subscriptions
from registry.models import Delivery, DeliveryState, Event, Subscription
from tests.conftest import NOW

Caller = Callable[..., APIClient]
ROOT = "/api/model-registry/subscriptions"

pytestmark = pytest.mark.django_db


def job(*event_types: str, name: str = "job", **more: Any) -> Subscription:
    return subscriptions.subscribe(
        name,
        event_types=event_types or ("team.made",),
        actor="user:1",
        guard=lambda _: None,
        **more,
    )


def made(event_type: str = "team.made") -> Event:
    event = events.record(event_type, actor="user:1", payload={"n": 1})
    event.deliveries.update(due_at=NOW)
    return event


def lend(subscription: Subscription, *, later: int = 0) -> Delivery:
    (lent,) = leases.lease(subscription, now=NOW + timedelta(seconds=later), limit=10)
    return lent


def put(client: APIClient, name: str = "job", **asked: Any) -> Any:
    return client.put(f"{ROOT}/{name}", {"event_types": ["team.made"], **asked}, format="json")


def test_a_subscription_fetches_settles_and_gets_each_event_once() -> None:
    ours = job()
    event = made()

    lent = lend(ours)
    again = leases.lease(ours, now=NOW, limit=10)
    assert lent.lease is not None
    leases.settle(ours, lent.pk, lent.lease, now=NOW)

    assert (lent.event, again) == (event, [])
    assert event.deliveries.get().state == DeliveryState.DONE


def test_what_a_subscriber_could_not_do_is_lent_again_later() -> None:
    ours = job()
    made()
    lent = lend(ours)
    assert lent.lease is not None

    leases.settle(ours, lent.pk, lent.lease, now=NOW, error="disk full")

    assert lend(ours, later=3).pk == lent.pk


def test_a_lease_that_ran_out_settles_nothing() -> None:
    ours = job()
    made()
    lent = lend(ours)
    lend(ours, later=61)
    assert lent.lease is not None

    with pytest.raises(Conflict, match="not lent to you"):
        leases.settle(ours, lent.pk, lent.lease, now=NOW)


def test_another_subscription_s_delivery_is_neither_settled_nor_renewed() -> None:
    ours, other = job(), job("team.met", name="other")
    made()
    lent = lend(ours)
    assert lent.lease is not None

    assert leases.renew(other, {lent.pk: lent.lease}, now=NOW) == []
    with pytest.raises(Conflict, match="not lent to you"):
        leases.settle(other, lent.pk, lent.lease, now=NOW)


def test_a_renewed_lease_lasts_a_minute_more_and_one_that_passed_on_is_not_renewed() -> None:
    ours = job()
    made()
    lent = lend(ours)
    assert lent.lease is not None
    halfway = NOW + timedelta(seconds=40)

    assert leases.renew(ours, {lent.pk: lent.lease}, now=halfway) == [lent.pk]
    assert leases.lease(ours, now=NOW + timedelta(seconds=90), limit=10) == []
    lend(ours, later=101)
    assert leases.renew(ours, {lent.pk: lent.lease}, now=NOW + timedelta(seconds=110)) == []
    assert leases.renew(ours, {lent.pk: uuid.uuid4()}, now=halfway) == []


def test_what_ten_subscribers_in_a_row_died_of_is_parked() -> None:
    ours = job()
    made()
    for n in range(10):
        lend(ours, later=61 * n)

    assert leases.lease(ours, now=NOW + timedelta(seconds=611), limit=10) == []

    parked = Delivery.objects.get()
    assert (parked.state, parked.attempts) == (DeliveryState.PARKED, debts.MAX_ATTEMPTS)


@pytest.mark.parametrize(
    ("asked", "owed"),
    [
        (["team.made"], ["team.made"]),
        (["team.*"], ["team.made", "team.made.twice"]),
        (["team.mad"], []),
        (["made"], []),
    ],
)
def test_types_are_asked_for_whole_or_by_their_beginning(asked: list[str], owed: list[str]) -> None:
    job(*asked)
    for event_type in ("team.made", "team.made.twice", "teams.made"):
        made(event_type)

    found = Delivery.objects.order_by("pk").values_list("event__event_type", flat=True)
    assert list(found) == owed


def test_asking_for_more_one_by_one_owes_all_of_them_all_the_time() -> None:
    """A program that starts again says its types one after another; none goes unowed meanwhile."""
    job("team.made", "team.met")
    again = job("team.made", keep=True)
    made("team.met")

    assert again.event_types == ["team.made", "team.met"]
    assert Delivery.objects.count() == 1
    assert job("team.made").event_types == ["team.made"]


def test_asking_for_what_it_has_changes_and_tells_nothing() -> None:
    job()
    job()
    job(keep=True)

    assert Event.objects.filter(event_type="subscription.changed").count() == 1


def test_what_is_not_there_says_so() -> None:
    with pytest.raises(NotFound, match="PUT it first"):
        subscriptions.find("nobody")


def test_it_stands_so_far_behind_and_says_what_was_given_up(api: Caller) -> None:
    client = api("trainer", username="tom")
    put(client)
    first, second = made(), made()
    first.deliveries.update(state=DeliveryState.PARKED, last_error="disk full")

    stands = client.get(f"{ROOT}/job").json()

    assert (stands["owed"], stands["parked"]) == (1, 1)
    assert stands["oldest_owed_at"] == second.timestamp.isoformat().replace("+00:00", "Z")
    assert stands["last_parked"] == [
        {
            "delivery_id": first.deliveries.get().pk,
            "event_id": first.pk,
            "event_type": "team.made",
            "last_error": "disk full",
        }
    ]


def test_all_are_listed_by_their_makers_names(
    api: Caller, django_assert_max_num_queries: Any
) -> None:
    client = api("trainer", username="tom")
    for n in range(5):
        put(client, f"job-{n}")

    with django_assert_max_num_queries(8):
        listed = client.get(ROOT).json()["subscriptions"]

    assert [row["name"] for row in listed] == [f"job-{n}" for n in range(5)]
    assert {row["created_by"] for row in listed} == {"tom"}


def test_nobody_takes_another_s_subscription_over(api: Caller) -> None:
    put(api("trainer", username="tom"))
    tina = api("trainer", username="tina")

    answers = [
        put(tina, event_types=["team.met"]),
        tina.get(f"{ROOT}/job"),
        tina.delete(f"{ROOT}/job"),
        tina.post(f"{ROOT}/job/lease", {}, format="json"),
        tina.post(f"{ROOT}/job/renew", _held(), format="json"),
        tina.post(f"{ROOT}/job/settle", _held()["deliveries"][0], format="json"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 6
    assert "is tom's, and tina shares no team" in answers[0].json()["detail"]
    assert Subscription.objects.get().event_types == ["team.made"]


def _held() -> dict[str, Any]:
    return {"deliveries": [{"delivery_id": 1, "token": str(uuid.uuid4())}]}


@pytest.mark.parametrize("who", ["tom", "a team mate", "an operator"])
def test_its_maker_their_team_and_operators_act_for_it(api: Caller, who: str) -> None:
    put(api("trainer", username="tom"))
    name, role = {"tom": ("tom", "trainer"), "a team mate": ("tina", "trainer")}.get(
        who, ("otto", "operator")
    )
    client = api(role, username=name)
    if who == "a team mate":
        team, _ = Group.objects.get_or_create(name="team:fraud")
        for user in User.objects.filter(username__in=["tom", "tina"]):
            user.groups.add(team)
    made()

    (lent,) = client.post(f"{ROOT}/job/lease", {}, format="json").json()["deliveries"]
    held = {"delivery_id": lent["delivery_id"], "token": lent["token"]}
    renewed = client.post(f"{ROOT}/job/renew", {"deliveries": [held]}, format="json")
    settled = client.post(f"{ROOT}/job/settle", held, format="json")

    assert renewed.json() == {"delivery_ids": [lent["delivery_id"]]}
    assert settled.status_code == 200
    assert client.delete(f"{ROOT}/job").status_code == 204


def test_what_a_removed_subscription_was_owed_is_parked_and_nobody_s_to_send(api: Caller) -> None:
    client = api("trainer", username="tom")
    put(client)
    made()

    client.delete(f"{ROOT}/job")

    assert deliveries.send_outside(now=timezone.now) == 0
    parked = Delivery.objects.get()
    assert (parked.state, parked.last_error) == ("parked", subscriptions.REMOVED)
    assert client.get(f"{ROOT}/job").status_code == 404


@pytest.mark.parametrize("event_type", ["*", "made", "model.a.*", "Team.Made", "team..made", ""])
def test_a_type_that_no_event_can_have_is_refused(api: Caller, event_type: str) -> None:
    answer = put(api("trainer"), event_types=[event_type])

    assert answer.status_code == 400
    assert not Subscription.objects.exists()
