from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from demo import flights, streams
from demo.census import Census, Encoding
from demo.streams import Stream

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def departures(flights_folder: Path) -> Stream:
    return streams.of_flights(flights.read(flights_folder))


@pytest.fixture
def interviews(people: Census) -> Stream:
    return streams.of_people(people, Encoding.of(people), seed=0, begins=BEGINS)


def test_flights_are_asked_about_when_they_leave(departures: Stream) -> None:
    assert departures.moment(0) == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    assert departures.keys[0] == "UA1545 EWR IAH 2013-01-01"
    assert departures.seasonal


@pytest.mark.parametrize(
    ("moment", "place"),
    [
        (datetime(2012, 1, 1, tzinfo=UTC), 0),
        (datetime(2013, 1, 1, 10, 15, tzinfo=UTC), 0),
        (datetime(2013, 1, 1, 10, 16, tzinfo=UTC), 1),
        (datetime(2014, 1, 1, tzinfo=UTC), 3),
    ],
)
def test_a_moment_has_a_first_request(departures: Stream, moment: datetime, place: int) -> None:
    assert departures.first_from(moment) == place


def test_inputs_come_in_the_order_a_model_asks_for(departures: Stream) -> None:
    matrix = departures.inputs(["temperature_f", "hour"])

    assert matrix[0].tolist() == pytest.approx([39.02, 5.0])
    assert matrix.flags["C_CONTIGUOUS"]


def test_an_input_the_requests_do_not_have_is_refused(departures: Stream) -> None:
    with pytest.raises(KeyError, match="altitude"):
        departures.inputs(["hour", "altitude"])


def test_people_are_asked_about_one_a_second(interviews: Stream) -> None:
    assert interviews.moment(0) == BEGINS
    assert interviews.moment(10) == BEGINS + timedelta(seconds=10)
    assert not interviews.seasonal


def test_each_person_is_asked_about_once_in_an_order_of_the_seed(
    people: Census, interviews: Stream
) -> None:
    again = streams.of_people(people, Encoding.of(people), seed=0, begins=BEGINS)
    other = streams.of_people(people, Encoding.of(people), seed=1, begins=BEGINS)

    assert len(set(interviews.keys)) == len(people)
    assert interviews.keys == again.keys
    assert interviews.keys != other.keys


def test_a_persons_inputs_stay_with_the_person(people: Census, interviews: Stream) -> None:
    ages = interviews.inputs(["AGEP"])[:, 0]
    ids = np.array([int(key.split("/")[1]) for key in interviews.keys])

    assert np.array_equal(ages, people.columns["AGEP"][ids])
