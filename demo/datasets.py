"""Data sets as Assay reads them: one safetensors file with features, labels and groups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

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
    )


def of_flights(rows: Flights, names: Sequence[str], *, window_days: int) -> bytes:
    """Flights in order of departure with the columns ``names`` and whether they were late.

    Args:
        window_days: The length of a drift window; the file says how many of its rows that is, so
            that each feature's own seasons are known.
    """
    days = int(rows.day.max() - rows.day.min()) + 1
    return _file(
        features=rows.features(tuple(names)),
        names=names,
        labels=rows.late,
        classes=flights.CLASSES,
        window_rows=max(1, round(len(rows) * window_days / days)),
    )


def _file(
    *,
    features: npt.NDArray[np.float32],
    names: Sequence[str],
    labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    groups: Mapping[str, npt.NDArray[np.int64]] = MappingProxyType({}),
    window_rows: int | None = None,
) -> bytes:
    described = {
        "features": list(names),
        "classes": list(classes),
        "groups": {attribute: _meanings(attribute) for attribute in groups},
        "window_rows": window_rows,
    }
    tensors = {"features": features, "labels": labels}
    tensors |= {f"group.{attribute}": codes for attribute, codes in groups.items()}
    solid = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return safetensors.numpy.save(solid, {"assay.dataset": json.dumps(described)})


def _meanings(attribute: str) -> dict[str, str]:
    return {str(code): meaning for code, meaning in census.GROUPS[attribute].items()}
