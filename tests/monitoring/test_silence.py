"""Nobody is silent while nobody listens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from monitoring import silence
from monitoring.models import Incident, Listening
from registry.models import ModelVersion
from tests.conftest import NOW
from tests.monitoring.makers import enter, report

Maker = Callable[..., ModelVersion]

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def canary(make_version: Maker) -> ModelVersion:
    """A canary of an hour that has reported until now."""
    version = enter(make_version("canary"))
    report(version, at=NOW)
    return version


def silent_at(*minutes: float) -> list[int]:
    """How many incidents there are after each look, so many minutes from now."""
    found = []
    for each in minutes:
        silence.report(now=NOW + each * MINUTE)
        found.append(Incident.objects.filter(kind="no_data").count())
    return found


def test_a_registry_that_was_away_waits_ten_minutes_for_reports(canary: ModelVersion) -> None:
    assert silent_at(0, 30, 31.9, 33.5, 35, 36.5, 38, 39.9) == [0] * 8
    assert silent_at(40) == [1]


def test_what_is_reported_again_after_the_return_was_never_silent(canary: ModelVersion) -> None:
    assert silent_at(0, 30) == [0, 0]

    report(canary, at=NOW + 31 * MINUTE)

    assert silent_at(*range(32, 41)) == [0] * 9


def test_missing_some_looks_is_no_break(canary: ModelVersion) -> None:
    assert silent_at(0, 2, 4, 6, 8, 9.9) == [0] * 6
    assert silent_at(10) == [1]


def test_a_clock_that_was_set_back_ends_no_listening(canary: ModelVersion) -> None:
    assert silent_at(0, 2, 4, 3.9, 5, 7, 9, 10) == [0] * 7 + [1]


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"id": 2, "since": NOW, "last": NOW}, "listening_is_one_row"),
        ({"since": NOW, "last": NOW - MINUTE}, "listening_begins_before_it_ends"),
    ],
)
def test_the_database_holds_what_listening_is(fields: dict, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Listening.objects.create(**fields)
