"""Requests as they came: keys, moments and inputs of real rows, in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from demo.census import Census, Encoding
from demo.flights import Flights

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Stream:
    """Requests to be answered one after another; all arrays have one value a request.

    ``seasonal`` says that a part of a drift window is no sample of the whole: a Monday has no
    Sunday's flights. Drift is then reported only once a window is full.
    """

    keys: Sequence[str]  # what traffic is split by: the same request always gets the same version
    moments: npt.NDArray[np.datetime64]  # data time, UTC, ascending, to the second
    columns: Mapping[str, Floats32]
    seasonal: bool

    def __len__(self) -> int:
        return len(self.keys)

    def moment(self, at: int) -> datetime:
        """The data time of a request, aware."""
        return datetime.fromtimestamp(int(self.moments[at].astype(np.int64)), UTC)

    def first_from(self, moment: datetime) -> int:
        """The place of the first request at ``moment`` or later."""
        wanted = np.datetime64(int(moment.timestamp()), "s")
        return int(np.searchsorted(self.moments, wanted, side="left"))

    def inputs(self, names: Sequence[str]) -> Floats32:
        """The matrix [requests, names].

        Raises:
            KeyError: A model asks for an input that these requests do not have.
        """
        return np.ascontiguousarray(np.stack([self.columns[name] for name in names], axis=1))


def of_flights(flights: Flights) -> Stream:
    """Whether each flight will be late, asked when it is to leave."""
    return Stream(
        keys=flights.keys.tolist(),
        moments=flights.departs.astype("datetime64[s]"),
        columns=flights.columns,
        seasonal=True,
    )


def of_people(people: Census, encoding: Encoding, *, seed: int, begins: datetime) -> Stream:
    """Whether each person works, asked in random order: the survey has no moments, so one a second.

    Args:
        begins: The data time of the first request.
    """
    order = np.random.default_rng(seed).permutation(len(people))
    features = encoding.features(people)[order]
    first = np.datetime64(int(begins.timestamp()), "s")
    return Stream(
        keys=[f"{people.year}/{person}" for person in people.ids[order].tolist()],
        moments=first + np.arange(len(people)).astype("timedelta64[s]"),
        columns=dict(zip(encoding.names, features.T, strict=True)),
        seasonal=False,
    )
