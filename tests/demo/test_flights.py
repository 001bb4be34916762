from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from demo import flights
from demo.flights import SCHEDULE, Flights


@pytest.fixture
def year(flights_folder: Path) -> Flights:
    return flights.read(flights_folder)


def test_flights_come_in_order_of_departure(year: Flights) -> None:
    assert year.keys.tolist() == [
        "UA1545 EWR IAH 2013-01-01",
        "UA11 EWR IAH 2013-01-07",
        "B6739 JFK PSE 2013-04-02",
    ]


def test_a_departure_is_to_the_minute_in_utc(year: Flights) -> None:
    assert year.departure(0) == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    assert year.departure(2) == datetime(2013, 4, 2, 3, 59, tzinfo=UTC)


def test_days_are_those_of_new_york(year: Flights) -> None:
    assert year.day.tolist() == [1, 7, 91]


def test_late_is_more_than_fifteen_minutes(year: Flights) -> None:
    assert year.late.tolist() == [0, 1, 0]


def test_a_cancelled_flight_has_not_arrived(year: Flights) -> None:
    assert year.arrived.tolist() == [True, True, False]


def test_the_week_begins_on_monday(year: Flights) -> None:
    assert year.columns["weekday"].tolist() == [1.0, 0.0, 0.0]


def test_weather_is_that_of_the_hour_and_the_airport(year: Flights) -> None:
    assert year.columns["temperature_f"][:2] == pytest.approx([39.02, 50.0])
    assert np.isnan(year.columns["temperature_f"][2])


def test_an_unread_instrument_is_a_missing_value(year: Flights) -> None:
    assert np.isnan(year.columns["dew_point_f"][1])


def test_airport_and_carrier_are_columns_of_their_own(year: Flights) -> None:
    features = year.features(SCHEDULE)

    assert features.shape == (3, len(SCHEDULE))
    assert features[:, SCHEDULE.index("origin=EWR")].tolist() == [1.0, 1.0, 0.0]
    assert features[:, SCHEDULE.index("carrier=B6")].tolist() == [0.0, 0.0, 1.0]


def test_a_span_of_days_includes_both_ends(year: Flights) -> None:
    assert year.between("2013-01-01", "2013-01-07").day.tolist() == [1, 7]
    assert year.between("2013-01-02", "2013-04-01").day.tolist() == [7, 91]
