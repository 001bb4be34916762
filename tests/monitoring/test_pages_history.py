"""Events read as sentences: what happened, to whom, and the words people gave."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.pages import history
from registry import actors
from registry.ledger import events
from registry.models import Event, ModelVersion

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db


def line(event: Event) -> history.Line:
    return history.lines([event])[0]


def test_a_move_says_from_where_to_where_and_with_what_share(make_version: Maker) -> None:
    canary = make_version("canary", share=25)

    shown = line(canary.events.filter(event_type="model.promoted").latest("pk"))

    assert (shown.title, shown.move, shown.share) == ("Promoted", ("sandbox", "canary"), 25)
    assert shown.facts == ()


def test_registering_moves_from_nowhere(make_version: Maker) -> None:
    shown = line(make_version().events.get(event_type="model.registered"))

    assert shown.move == ("", "development")


def test_those_who_acted_are_called_by_name_in_one_query(trainer: User) -> None:
    made = [events.record("team.met", actor=who) for who in (actors.actor_of(trainer), "user:404")]

    with CaptureQueriesContext(connection) as captured:
        shown = history.lines(made)

    assert [one.actor for one in shown] == ["tom", "user:404"]
    assert len(captured) == 1


def test_an_event_of_the_users_own_reads_by_its_type_and_facts() -> None:
    shown = line(
        events.record(
            "data.label_audit.done",
            actor="user:1",
            payload={"rows": 12, "labels": ["a", "b"], "x": {}},
        )
    )

    assert shown.title == "Data label audit done"
    assert shown.facts == (("rows", "12"), ("labels", "a, b"), ("x", ""))


def test_reasons_and_remarks_stand_as_words_not_as_facts() -> None:
    shown = line(
        events.record(
            "model.rollback.requested",
            actor="user:1",
            payload={"reasons": ["error rate 20 % > 5 %"], "stage": "canary"},
            remark=events.remark("seen by support"),
        )
    )

    assert shown.words == ("error rate 20 % > 5 %", "seen by support")
    assert shown.facts == (("stage", "canary"),)
    assert shown.tone == "bad"


def test_an_erased_remark_leaves_no_empty_words() -> None:
    remark = events.remark("a name")
    event = events.record("team.met", actor="user:1", remark=remark)
    assert remark is not None
    remark.text = ""
    remark.save()
    event.refresh_from_db()

    assert line(event).words == ()


def test_transitions_say_which_were_attested(make_version: Maker) -> None:
    shown = history.moves(make_version("canary").transitions.all())

    assert [(one.move, one.attested) for one in shown] == [
        (("sandbox", "canary"), True),
        (("development", "sandbox"), False),
        (("", "development"), False),
    ]
