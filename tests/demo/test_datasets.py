from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from demo import datasets, flights
from demo.census import Census, Encoding
from demo.flights import WEATHER


def described(content: bytes) -> dict[str, Any]:
    size = int.from_bytes(content[:8], "little")
    told: dict[str, Any] = json.loads(
        json.loads(content[8 : 8 + size])["__metadata__"]["assay.dataset"]
    )
    return told


def test_people_come_with_features_answers_and_groups(people: Census) -> None:
    encoding = Encoding.of(people)

    content = datasets.of_people(people, encoding)

    tensors = safetensors.numpy.load(content)
    assert set(tensors) == {"features", "labels", "group.RAC1P", "group.SEX"}
    assert np.array_equal(tensors["features"], encoding.features(people))
    assert np.array_equal(tensors["group.RAC1P"], people.race)
    assert tensors["labels"].dtype == np.int64


def test_columns_classes_and_groups_have_names(people: Census) -> None:
    told = described(datasets.of_people(people, Encoding.of(people)))

    assert told["features"] == Encoding.of(people).names
    assert told["classes"] == ["not employed", "employed"]
    assert told["groups"]["RAC1P"]["9"] == "Two or more races"
    assert told["groups"]["SEX"] == {"1": "Male", "2": "Female"}


def test_flights_have_no_groups(flights_folder: Path) -> None:
    rows = flights.read(flights_folder)

    content = datasets.of_flights(rows, WEATHER, window_days=28)

    tensors = safetensors.numpy.load(content)
    assert set(tensors) == {"features", "labels"}
    assert tensors["features"].shape == (3, 2)
    assert described(content)["groups"] == {}
    assert described(content)["classes"] == ["on time", "late"]


def test_flights_say_how_many_rows_a_drift_window_has(flights_folder: Path) -> None:
    few = flights.read(flights_folder)
    rows = few.take(np.arange(910) * 3 // 910)  # 910 flights between day 1 and day 91

    content = datasets.of_flights(rows, WEATHER, window_days=28)

    assert described(content)["window_rows"] == 280


def test_people_have_no_drift_window(people: Census) -> None:
    assert described(datasets.of_people(people, Encoding.of(people)))["window_rows"] is None
