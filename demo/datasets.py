"""Data sets as Assay reads them: one safetensors file with features, labels and groups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from demo import census, flights
from demo.census import Census, Encoding
from demo.flights import Flights


def of_people(people: Census, encoding: Encoding) -> bytes:
    """People with what a model may see, whether they work, and their protected attributes."""
    return _file(
        features=encoding.features(people),
        names=encoding.names,
        labels=people.employed,
        classes=census.CLASSES,
        groups={name: people.columns[name] for name in census.PROTECTED},
        group_names=census.GROUPS,
    )


def of_flights(rows: Flights, names: Sequence[str]) -> bytes:
    """Flights in order of departure with the columns ``names`` and whether they were late."""
    return _file(
        features=rows.features(tuple(names)),
        names=names,
        labels=rows.late,
        classes=flights.CLASSES,
        groups={},
        group_names={},
    )


def _file(
    *,
    features: npt.NDArray[np.float32],
    names: Sequence[str],
    labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    groups: Mapping[str, npt.NDArray[np.int64]],
    group_names: Mapping[str, Mapping[int, str]],
) -> bytes:
    described = {
        "features": list(names),
        "classes": list(classes),
        "groups": {
            attribute: {str(code): name for code, name in group_names[attribute].items()}
            for attribute in groups
        },
    }
    tensors = {"features": features, "labels": labels}
    tensors |= {f"group.{attribute}": codes for attribute, codes in groups.items()}
    solid = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return safetensors.numpy.save(solid, {"assay.dataset": json.dumps(described)})
