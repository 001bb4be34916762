"""A held-out data set in memory: numpy arrays, every value checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from assay.divergence import Counts
from monitoring.evaluations import headers, schemas
from monitoring.evaluations.refusals import DataSetInvalid
from monitoring.evaluations.schemas import DataSetSchema

MOST_GROUPS = 1000  # codes of one attribute


@dataclass(frozen=True, eq=False)
class DataSet:
    """Rows to measure on; NaN in a feature is a missing value."""

    schema: DataSetSchema
    features: npt.NDArray[np.float32]  # [rows, features]
    labels: Counts  # [rows], index of the class
    groups: Mapping[str, Counts]  # attribute → [rows], codes


def load(path: Path) -> DataSet:
    """Read and check a data set.

    Raises:
        NotMeasurable: It is no safetensors file.
        DataSetInvalid: A field is missing or a value impossible; the message names the field.
    """
    schema = schemas.read(headers.read(path))
    try:
        with safe_open(path, framework="numpy") as file:
            features = file.get_tensor("features")
            labels = file.get_tensor("labels")
            groups = {name: file.get_tensor(f"{schemas.GROUP}{name}") for name in schema.groups}
    except SafetensorError as error:
        raise DataSetInvalid("file", f"is damaged: {error}") from error
    _check_features(features, schema)
    _check_labels(labels, schema)
    for attribute, codes in groups.items():
        if len(np.unique(codes)) > MOST_GROUPS:
            raise DataSetInvalid(f"group.{attribute}", f"has more than {MOST_GROUPS} codes")
    return DataSet(schema, features, labels, groups)


def _check_features(features: npt.NDArray[np.float32], schema: DataSetSchema) -> None:
    infinite = np.argwhere(np.isinf(features))
    if infinite.size:
        row, column = infinite[0].tolist()
        raise DataSetInvalid(
            f"feature {schema.features[column]!r}",
            f"is infinite in row {row}; only NaN stands for a missing value",
        )


def _check_labels(labels: Counts, schema: DataSetSchema) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels >= len(schema.classes)))
    if wrong.size:
        row = int(wrong[0])
        raise DataSetInvalid(
            "labels",
            f"has {int(labels[row])} in row {row}; there are {len(schema.classes)} classes, "
            "counted from 0",
        )
