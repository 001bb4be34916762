"""The registry in figures: right, bounded, read through indexes, and there for every reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring import incidents as incident_verbs
from monitoring import rollbacks
from monitoring.pages import statistics
from registry import actors
from registry.ledger import checkpoints, events, sequencer
from registry.models import (
    Delivery,
    DeliveryState,
    Event,
    LedgerCheckpoint,
    ModelVersion,
    StageTransition,
    TransitionKind,
)
from registry.statistics import count_by, moves, moves_by_day
from tests.conftest import NOW
from tests.monitoring.browsing import open_incident, text

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

KINDS = list(statistics.MOVES)
QUERIES = 14  # who reads and what they may, the sidebar, and nine of figures


def moved(version: ModelVersion, kind: TransitionKind, at: datetime) -> None:
    """A move as the record holds it, at a time of its own; the version stays where it is."""
    StageTransition.objects.create(
        version=version, kind=kind, from_stage="", to_stage="development", actor="user:1", at=at
    )


def asked(version: ModelVersion, by: str, *, seconds: float) -> None:
    """A request for the rollback of the version as it stands, recorded so many seconds ago."""
    Event.objects.create(
        event_type=rollbacks.REQUESTED,
        source="assay",
        version=version,
        actor=by,
        payload={"transition_id": version.transitions.order_by("-pk")[0].pk},
        timestamp=timezone.now() - timedelta(seconds=seconds),
    )


def roll_back(version: ModelVersion) -> None:
    rollbacks.carry_out(version, actor=actors.MONITOR, now=timezone.now())


def test_moves_are_counted_on_the_utc_day_they_were_made(make_version: Maker) -> None:
    version = make_version()
    midnight = datetime(2026, 1, 31, tzinfo=UTC)
    for at in (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=23)):
        moved(version, TransitionKind.PROMOTED, at)

    found = moves_by_day(KINDS, midnight - timedelta(days=1))

    promoted = found[TransitionKind.PROMOTED]
    assert (promoted[date(2026, 1, 30)], promoted[midnight.date()]) == (1, 2)


def test_the_charts_reach_back_thirty_days_and_no_further(make_version: Maker) -> None:
    version = make_version()
    midnight = NOW.replace(hour=0)
    moved(version, TransitionKind.PROMOTED, midnight - timedelta(days=29))
    moved(version, TransitionKind.PROMOTED, midnight - timedelta(days=29, microseconds=1))

    registered, promoted, rolled_back = statistics.read(now=NOW).moves

    assert [m.title for m in (registered, promoted, rolled_back)] == [
        "Registrations",
        "Promotions",
        "Rollbacks",
    ]
    assert len(promoted.days) == 30
    assert promoted.days[-1] == NOW.date()
    assert promoted.counts == [1, *[0] * 29]


def test_only_the_days_on_which_something_moved_are_listed(make_version: Maker) -> None:
    moved(make_version(), TransitionKind.PROMOTED, NOW - timedelta(days=2))

    found = statistics.read(now=NOW)

    assert found.busy_days == [((NOW - timedelta(days=2)).date(), [0, 1, 0])]


def test_moves_are_counted_from_their_index_alone(
    make_version: Maker,
) -> None:
    version = make_version()
    StageTransition.objects.bulk_create(
        StageTransition(
            version=version,
            kind=TransitionKind.RETRIED if n % 2 else TransitionKind.PROMOTED,
            to_stage="development",
            actor="user:1",
            at=NOW - timedelta(hours=n),
        )
        for n in range(4000)
    )
    with connection.cursor() as cursor:
        cursor.execute("analyze registry_stagetransition")

    plan = moves(KINDS, NOW - timedelta(days=30)).explain()

    assert "transitions_of_a_kind" in plan
    assert "Seq Scan" not in plan


def test_a_rollback_takes_from_its_request_to_its_move(make_version: Maker) -> None:
    for seconds in (1, 2, 9):
        version = make_version("canary", name=f"Family {seconds}", model_id=f"took_{seconds}")
        asked(version, actors.MONITOR, seconds=seconds)
        roll_back(version)
    by_hand = make_version("canary", model_id="by_hand")
    rollbacks.roll_back(by_hand, actor="user:7", now=timezone.now(), reason="It fell.")

    monitor, people = statistics.reactions(timezone.now() - timedelta(days=1))

    assert (monitor.asked_by, monitor.rollbacks, monitor.slowest) == ("the monitor", 3, "took_9")
    assert monitor.median == pytest.approx(2, abs=0.9)
    assert monitor.worst == pytest.approx(9, abs=0.9)
    assert (people.asked_by, people.rollbacks, people.slowest) == ("people", 1, "by_hand")
    assert 0 <= people.worst < 1


def test_a_request_about_an_earlier_deployment_is_not_what_a_rollback_answers(
    make_version: Maker,
) -> None:
    version = make_version("canary")
    asked(version, actors.MONITOR, seconds=3600)
    roll_back(version)
    version = make_version("canary", name="Another")
    Event.objects.create(
        event_type=rollbacks.REQUESTED,
        source="assay",
        version=version,
        actor=actors.MONITOR,
        payload={"transition_id": version.transitions.order_by("pk")[0].pk},
        timestamp=timezone.now() - timedelta(days=1),
    )
    roll_back(version)

    (monitor,) = statistics.reactions(timezone.now() - timedelta(days=2))

    assert monitor.rollbacks == 1
    assert monitor.worst == pytest.approx(3600, abs=5)


def test_the_first_request_counts_and_older_rollbacks_do_not(make_version: Maker) -> None:
    version = make_version("canary")
    asked(version, actors.MONITOR, seconds=30)
    asked(version, "user:7", seconds=10)
    roll_back(version)

    (found,) = statistics.reactions(timezone.now() - timedelta(minutes=1))

    assert found.asked_by == "the monitor"
    assert found.worst == pytest.approx(30, abs=1)
    assert statistics.reactions(timezone.now() + timedelta(minutes=1)) == []


def test_open_incidents_are_counted_by_severity(make_version: Maker) -> None:
    for name in ("a", "b"):
        open_incident(make_version("canary", name=name))
    resolved = open_incident(make_version("canary", name="c"))
    incident_verbs.resolve(resolved, actor="user:1", now=timezone.now())

    found = statistics.read(now=NOW)

    assert found.open_incidents == {"critical": 2, "warning": 0}
    assert found.incidents == 2


def test_parked_deliveries_are_counted_and_shown(reviewer: Client) -> None:
    event = events.record("team.noted", actor="user:1")
    Delivery.objects.create(event=event, subscriber="x", state=DeliveryState.PARKED)
    Delivery.objects.create(event=event, subscriber="y", state=DeliveryState.OWED)

    assert statistics.read(now=NOW).parked == 1
    assert "Parked deliveries 1 given up until somebody retries" in text(
        reviewer.get("/statistics/")
    )


def test_the_ledger_says_what_its_newest_checkpoint_covers(
    make_version: Maker, settings: Any, tmp_path: Any
) -> None:
    settings.ASSAY_LEDGER_DIR = tmp_path
    make_version("sandbox")
    sequencer.sequence()
    checkpoints.sign(now=NOW)
    make_version()
    sequencer.sequence()

    ledger = statistics.read(now=NOW).ledger

    assert ledger.size == Event.objects.count()
    assert ledger.checkpoint == LedgerCheckpoint.objects.get()
    assert ledger.uncovered == ledger.size - LedgerCheckpoint.objects.get().tree_size > 0


def test_every_stage_has_a_bar_and_leads_to_its_models(
    reviewer: Client, make_version: Maker
) -> None:
    make_version("canary", framework="pytorch", team="r&d")

    body = reviewer.get("/statistics/").content.decode()

    assert re.findall(r'href="/models/\?stage=(\w+)"', body) == [
        "development",
        "sandbox",
        "canary",
        "production",
        "rollback",
        "archived",
    ]
    assert 'href="/models/?framework=pytorch"' in body
    assert 'href="/models/?team=r%26d"' in body


def test_many_teams_are_added_up_beyond_the_largest(make_version: Maker) -> None:
    for n in range(11):
        make_version(team=f"team {n:02}", name=f"Family {n}")
    make_version(team="team 10", name="Family 10")

    groups = dict(statistics.read(now=NOW).groupings)["By team"]

    assert len(groups) == statistics.SHOWN + 1
    assert (groups[0].name, groups[0].count) == ("team 10", 2)
    assert (groups[-1].name, groups[-1].count, groups[-1].query) == ("3 others", 3, "")
    assert sum(group.count for group in groups) == sum(count_by("team").values()) == 12


def test_an_empty_registry_says_how_to_begin(reviewer: Client) -> None:
    answer = reviewer.get("/statistics/")

    assert answer.status_code == 200
    said = text(answer)
    assert "Nothing is registered yet" in said
    assert "Newest checkpoint – none was signed yet" in said
    assert "Moves a day" not in said


def test_the_number_of_queries_is_fixed_and_none_looks_at_snapshots(
    reviewer: Client, make_version: Maker
) -> None:
    def page() -> list[str]:
        with CaptureQueriesContext(connections["default"]) as captured:
            assert reviewer.get("/statistics/").status_code == 200
        return [query["sql"] for query in captured]

    empty = page()
    for n in range(3):
        version = make_version("canary", name=f"Family {n}", team=f"team {n}")
        rollbacks.roll_back(version, actor="user:7", now=timezone.now(), reason="It fell.")
        open_incident(version)
    full = page()

    assert len(empty) == len(full) == QUERIES
    assert [sql for sql in full if "memory_model_performance" in sql] == []


@pytest.mark.parametrize("role", ["trainer", "serving", "operator", "reviewer", "risk_officer"])
def test_every_role_reads_it(client: Client, user_with: Callable[..., User], role: str) -> None:
    client.force_login(user_with(role))

    assert client.get("/statistics/").status_code == 200


def test_somebody_at_the_machine_reads_it_without_signing_in(client: Client, settings: Any) -> None:
    settings.ASSAY_LOCAL_ACCESS = True

    answer = client.get("/statistics/", headers={"host": "localhost"})

    assert answer.status_code == 200
    assert 'aria-current="page"><span class="icon" aria-hidden="true">📊' in answer.content.decode()


def test_the_figures_refresh_themselves(reviewer: Client, make_version: Maker) -> None:
    make_version("canary")

    assert 'hx-get="/live/statistics/"' in reviewer.get("/statistics/").content.decode()
    answer = reviewer.get("/live/statistics/")
    assert answer.status_code == 200
    assert "ETag" in answer.headers
    assert "<html" not in answer.content.decode()
