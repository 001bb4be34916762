from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demo import flights, training
from demo.census import Census, Encoding
from demo.flights import SCHEDULE, WEATHER, Flights
from tests.demo.conftest import made_up_people


@pytest.fixture(scope="module")
def many() -> Census:
    return made_up_people(8000)


def rates(trained: training.Trained, people: Census) -> dict[int, float]:
    features = Encoding.of(people).features(people)
    selected = trained.network.probabilities(features)[:, 1] >= 0.5
    return {code: float(selected[people.race == code].mean()) for code in (1, 9)}


def many_flights(folder: Path) -> Flights:
    """Flights enough to train on, every seventh of them never arriving."""
    few = flights.read(folder)
    return few.take(np.tile(np.arange(3), 700))


def test_mitigation_raises_the_lower_rate(many: Census) -> None:
    encoding = Encoding.of(many)
    plain = training.employment(many, encoding, seed=0)

    mitigated = training.mitigated_employment(many, encoding, plain, seed=0)

    before, after = rates(plain, many), rates(mitigated, many)
    assert before[9] / before[1] < 0.85
    assert after[9] / after[1] > before[9] / before[1] + 0.03
    assert mitigated.compensation["9"] > 0 > mitigated.compensation["1"]


def test_mitigation_is_in_the_file_and_needs_no_other_input(many: Census) -> None:
    encoding = Encoding.of(many)
    plain = training.employment(many, encoding, seed=0)

    mitigated = training.mitigated_employment(many, encoding, plain, seed=0)

    assert mitigated.features == plain.features
    assert mitigated.data_hash == plain.data_hash
    assert mitigated.network.artifact() != plain.network.artifact()


def test_where_groups_mean_nothing_nothing_is_moved(many: Census) -> None:
    shuffled = many.shuffled(seed=0)
    encoding = Encoding.of(shuffled)
    plain = training.employment(shuffled, encoding, seed=0)

    mitigated = training.mitigated_employment(shuffled, encoding, plain, seed=0)

    assert set(mitigated.compensation.values()) == {0.0}


def test_groups_too_small_to_gate_are_left_out(many: Census) -> None:
    race = many.race.copy()
    race[:99] = 3
    people = Census(many.year, many.ids, {**many.columns, "RAC1P": race}, many.employed)

    codes, members = training.gating_groups(people)

    assert codes == [1, 9]
    assert not members[:99].any()
    assert (members.sum(axis=1)[99:] == 1).all()


def test_a_trainer_declares_what_was_measured_on_which_data(many: Census) -> None:
    encoding = Encoding.of(many)

    trained = training.employment(many, encoding, seed=0)

    assert trained.rows == len(many)
    assert set(trained.metrics) == {"accuracy", "auroc"}
    assert 0.5 < trained.metrics["accuracy"] <= 1


def test_every_fifth_flight_that_arrived_is_held_out(flights_folder: Path) -> None:
    kept, held_out = training.split(many_flights(flights_folder))

    assert (len(kept), len(held_out)) == (1120, 280)
    assert kept.arrived.all()
    assert held_out.arrived.all()


def test_a_flight_model_sees_the_columns_it_is_given(flights_folder: Path) -> None:
    rows = many_flights(flights_folder)

    plain = training.flight_delay(rows, SCHEDULE, seed=0)
    weather = training.flight_delay(rows, SCHEDULE + WEATHER, seed=0)

    assert plain.network.mean.shape == (len(SCHEDULE),)
    assert weather.features[-2:] == ("temperature_f", "dew_point_f")
    assert weather.rows == 1120
