"""Data sets: every defect is refused and names its field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitoring.evaluations import datasets, headers, schemas
from monitoring.evaluations.refusals import DataSetInvalid, NotMeasurable
from tests.evaluations import files


def test_a_data_set_is_read_whole(tmp_path: Path) -> None:
    tensors = files.dataset_tensors(rows=50)

    found = datasets.load(files.dataset_file(tmp_path / "data", tensors))

    assert found.schema.rows == 50
    assert found.schema.features == files.FEATURES
    assert found.schema.groups["RAC1P"][9] == "Two or more races"
    assert (found.schema.categorical, found.schema.window_rows) == ((), None)
    assert np.array_equal(found.features, tensors["features"])
    assert np.array_equal(found.labels, tensors["labels"])
    assert np.array_equal(found.groups["SEX"], tensors["group.SEX"])


def test_optional_parts_are_read_where_they_are_given(tmp_path: Path) -> None:
    path = files.dataset_file(tmp_path / "data", categorical=["tenure"], window_rows=100)

    schema = schemas.read(headers.read(path))

    assert (schema.categorical, schema.window_rows) == (("tenure",), 100)


def test_an_attribute_may_leave_its_codes_unexplained(tmp_path: Path) -> None:
    schema = schemas.read(headers.read(files.dataset_file(tmp_path / "data", groups=None)))

    assert schema.groups == {"RAC1P": {}, "SEX": {}}


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"features": None}, "features must be 1 or more names"),
        ({"features": "age"}, "features must be a list of names"),
        ({"features": ["age", "age", "hours"]}, "features must be 1 or more names, none .* twice"),
        ({"features": ["age", ""]}, "features must be a list of names"),
        ({"features": ["age"]}, r"features must be F32 \[rows, 1\] .* is F32 \[400, 3\]"),
        ({"classes": ["yes"]}, "classes must be 2 or more names"),
        ({"classes": [0, 1]}, "classes must be a list of names"),
        ({"groups": ["SEX"]}, "groups must map each attribute"),
        ({"groups": {"AGE": {}}}, r"group.AGE must be I64 \[400\], and is missing"),
        ({"groups": {"SEX": {"f": "female"}}}, "groups.SEX has a code that is no integer"),
        ({"groups": {"SEX": ["f"]}}, "groups.SEX must map codes"),
        ({"groups": {"SEX": {"1": 5}}}, "groups.SEX must say in text what each code means"),
        ({"groups": {"SEX": {"1": "a\0b"}}}, "groups.SEX must say in text"),
        ({"classes": ["no", "\ud800"]}, "classes must be a list of names, in printable"),
        ({"categorical": ["colour"]}, "categorical names 'colour', which is no feature"),
        ({"window_rows": 0}, "window_rows must be a whole number"),
        ({"window_rows": True}, "window_rows must be a whole number"),
        ({"window_rows": 1.5}, "window_rows must be a whole number"),
    ],
)
def test_a_wrong_description_is_refused_by_field(
    tmp_path: Path, described: dict[str, Any], message: str
) -> None:
    path = files.dataset_file(tmp_path / "data", **described)

    with pytest.raises(DataSetInvalid, match=f"The data set's {message}"):
        datasets.load(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"features": np.zeros((400, 3))}, r"features must be F32 .* and is F64 \[400, 3\]"),
        ({"features": np.zeros(400, np.float32)}, r"features must be .* is F32 \[400\]"),
        ({"features": np.zeros((0, 3), np.float32)}, r"features must be .* is F32 \[0, 3\]"),
        ({"labels": np.zeros(400, np.int32)}, r"labels must be I64 \[400\], and is I32 \[400\]"),
        ({"labels": np.zeros(399, np.int64)}, r"labels must be I64 \[400\], and is I64 \[399\]"),
        ({"labels": np.full(400, 2)}, "labels has 2 in row 0; there are 2 classes"),
        ({"labels": np.full(400, -1)}, "labels has -1 in row 0"),
        ({"group.SEX": np.zeros(400)}, r"group.SEX must be I64 \[400\], and is F64 \[400\]"),
        ({"weights": np.zeros(400)}, "weights is no field of a data set"),
    ],
)
def test_a_wrong_tensor_is_refused_by_field(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    path = files.dataset_file(tmp_path / "data", files.dataset_tensors() | changed)

    with pytest.raises(DataSetInvalid, match=f"The data set's {message}"):
        datasets.load(path)


def test_an_infinite_feature_is_named_with_its_row(tmp_path: Path) -> None:
    tensors = files.dataset_tensors()
    tensors["features"][7, 1] = np.inf

    with pytest.raises(DataSetInvalid, match="feature 'hours' is infinite in row 7"):
        datasets.load(files.dataset_file(tmp_path / "data", tensors))


def test_a_missing_value_is_no_defect(tmp_path: Path) -> None:
    tensors = files.dataset_tensors()
    tensors["features"][7, 1] = np.nan

    found = datasets.load(files.dataset_file(tmp_path / "data", tensors))

    assert np.isnan(found.features[7, 1])


def test_an_attribute_with_a_thousand_codes_is_an_identifier_and_refused(tmp_path: Path) -> None:
    tensors = files.dataset_tensors(rows=1001) | {"group.SEX": np.arange(1001)}

    with pytest.raises(DataSetInvalid, match="group.SEX has more than 1000 codes"):
        datasets.load(files.dataset_file(tmp_path / "data", tensors))


def test_a_file_without_a_description_is_told_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(DataSetInvalid, match='assay.dataset is missing.*"features"'):
        datasets.load(files.mlp_file(tmp_path / "model"))


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    path = files.dataset_file(tmp_path / "data")
    path.write_bytes(path.read_bytes()[:-8])

    with pytest.raises(DataSetInvalid, match="The data set's file is damaged"):
        datasets.load(path)


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"\x80\x04K\x01.")

    with pytest.raises(NotMeasurable, match="but a pickle"):
        datasets.load(tmp_path / "data")
