from __future__ import annotations

from pathlib import Path

import numpy as np

from demo import census
from demo.census import PROTECTED, Census, Encoding
from tests.demo.conftest import made_up_people


def test_each_year_is_read_with_its_own_answers(census_folder: Path) -> None:
    of_2015 = census.read(census_folder, 2015)
    of_2017 = census.read(census_folder, 2017)

    assert of_2015.employed.tolist() == [1, 0]
    assert (of_2017.ids.tolist(), of_2017.employed.tolist()) == ([2, 3], [1, 1])


def test_codes_are_read_as_the_survey_writes_them(census_folder: Path) -> None:
    people = census.read(census_folder, 2016)

    assert people.race.tolist() == [1, 2]
    assert people.columns["AGEP"].tolist() == [30, 31]


def test_a_model_never_gets_race_or_sex(people: Census) -> None:
    names = Encoding.of(people).names

    assert not [name for name in names if name.split("=")[0] in PROTECTED]


def test_a_code_of_many_values_is_a_column_for_each(people: Census) -> None:
    encoding = Encoding.of(people)

    matrix = encoding.features(people)

    marital = [encoding.names.index(f"MAR={level}") for level in range(1, 6)]
    assert matrix[:, marital].sum(axis=1).tolist() == [1.0] * len(people)


def test_a_code_of_two_values_is_one_column(people: Census) -> None:
    encoding = Encoding.of(people)

    assert [name for name in encoding.names if name.startswith("DEAR")] == ["DEAR=1"]


def test_a_code_that_was_never_seen_is_no_columns(people: Census) -> None:
    encoding = Encoding.of(people)
    stranger = made_up_people(2, year=2016)
    stranger.columns["MAR"][:] = 9

    matrix = encoding.features(stranger)

    marital = [at for at, name in enumerate(encoding.names) if name.startswith("MAR")]
    assert not matrix[:, marital].any()


def test_amounts_come_first_and_as_they_are(people: Census) -> None:
    matrix = Encoding.of(people).features(people)

    assert np.array_equal(matrix[:, 0], people.columns["AGEP"])
    assert matrix.dtype == np.float32


def test_shuffling_deals_groups_anew_and_leaves_all_else(people: Census) -> None:
    shuffled = people.shuffled(seed=1)

    assert sorted(shuffled.race.tolist()) == sorted(people.race.tolist())
    assert not np.array_equal(shuffled.race, people.race)
    assert np.array_equal(shuffled.columns["AGEP"], people.columns["AGEP"])
    assert np.array_equal(shuffled.employed, people.employed)


def test_shuffling_keeps_each_persons_race_and_sex_together(people: Census) -> None:
    shuffled = people.shuffled(seed=1)

    assert pairs(shuffled) == pairs(people)


def test_the_same_seed_shuffles_the_same(people: Census) -> None:
    assert np.array_equal(people.shuffled(3).race, people.shuffled(3).race)
    assert not np.array_equal(people.shuffled(3).race, people.shuffled(4).race)


def test_sixteen_is_working_age(people: Census) -> None:
    assert np.array_equal(people.working_age, people.columns["AGEP"] > 15)


def pairs(people: Census) -> list[tuple[int, int]]:
    return sorted(zip(people.race.tolist(), people.columns["SEX"].tolist(), strict=True))
