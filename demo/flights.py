"""Flights out of New York in 2013, each with the weather of its hour at the airport it leaves."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

Ints = npt.NDArray[np.int64]
Floats32 = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

LATE_MINUTES = 15  # a flight that arrives later than this counts as late
CLASSES = ("on time", "late")
AIRPORTS = ("EWR", "JFK", "LGA")
CARRIERS = (
    *("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL"),
    *("HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"),
)
SCHEDULE = (
    "hour",
    "weekday",
    "distance_miles",
    *(f"origin={airport}" for airport in AIRPORTS),
    *(f"carrier={carrier}" for carrier in CARRIERS),
)
WEATHER = ("temperature_f", "dew_point_f")
YEAR = np.datetime64("2013-01-01", "D")


@dataclass(frozen=True, eq=False)
class Flights:
    """Scheduled flights in order of departure; all arrays have one value a flight."""

    keys: npt.NDArray[np.str_]  # carrier, number, airports and date: the same whenever it is asked
    departs: npt.NDArray[np.datetime64]  # scheduled, UTC, to the minute
    day: Ints  # of the year in New York, 1 to 365
    columns: Mapping[str, Floats32]  # SCHEDULE and WEATHER; NaN: no observation
    arrived: Flags  # cancelled and diverted flights have no answer
    late: Ints  # 0 or 1; 0 where it never arrived

    def __len__(self) -> int:
        return len(self.keys)

    def features(self, names: tuple[str, ...]) -> Floats32:
        """The matrix [flights, names]."""
        return np.stack([self.columns[name] for name in names], axis=1)

    def take(self, rows: Flags | Ints) -> Self:
        """The flights that are flagged, or those at the given places."""
        return type(self)(
            keys=self.keys[rows],
            departs=self.departs[rows],
            day=self.day[rows],
            columns={name: values[rows] for name, values in self.columns.items()},
            arrived=self.arrived[rows],
            late=self.late[rows],
        )

    def between(self, first: str, last: str) -> Self:
        """The flights of the days ``first`` to ``last``, both included, as 2013-04-01."""
        low, high = (int((np.datetime64(day, "D") - YEAR).astype(int)) + 1 for day in (first, last))
        return self.take((self.day >= low) & (self.day <= high))

    def departure(self, at: int) -> datetime:
        """When a flight is to leave, aware."""
        return datetime.fromtimestamp(
            int(self.departs[at].astype("datetime64[s]").astype(int)), UTC
        )


def read(folder: Path) -> Flights:
    """Read the year.

    A flight of an hour without a weather record has NaN for its weather.
    """
    flights = _flights(folder / "flights.csv.zip")
    weather = _csv((folder / "weather.csv").read_bytes())
    observed = _observations(flights, weather)
    delay = _column(flights["arr_delay"], np.float64)
    time = _column(flights["sched_dep_time"], np.int64)
    rows = Flights(
        keys=_keys(flights),
        departs=_departures(flights, time),
        day=_days(flights),
        columns={**_schedule(flights), **observed},
        arrived=~np.isnan(delay),
        late=(np.nan_to_num(delay) > LATE_MINUTES).astype(np.int64),
    )
    return rows.take(np.lexsort((rows.keys, rows.departs)))


def _flights(path: Path) -> pa.Table:
    with zipfile.ZipFile(path) as archive:
        return _csv(archive.read("flights.csv"))


def _csv(content: bytes) -> pa.Table:
    read = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    return csv.read_csv(pa.BufferReader(content), convert_options=read)


def _column(column: pa.ChunkedArray, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.array(column.to_numpy(), dtype=dtype)  # a copy, to write to


def _days(flights: pa.Table) -> Ints:
    months = _column(flights["month"], np.int64) - 1
    firsts = (YEAR.astype("datetime64[M]") + months).astype("datetime64[D]")
    return np.asarray((firsts - YEAR).astype(np.int64) + _column(flights["day"], np.int64))


def _departures(flights: pa.Table, time: Ints) -> npt.NDArray[np.datetime64]:
    hours = np.asarray(flights["time_hour"].to_numpy(), dtype="datetime64[m]")
    return np.asarray(hours + (time % 100).astype("timedelta64[m]"))


def _keys(flights: pa.Table) -> npt.NDArray[np.str_]:
    date = pc.strftime(flights["time_hour"], format="%Y-%m-%d")
    number = flights["flight"].cast(pa.string())
    named = pc.binary_join_element_wise(flights["carrier"], number, "")
    parts = (named, flights["origin"], flights["dest"], date)
    return np.asarray(pc.binary_join_element_wise(*parts, " ").to_pylist(), dtype=np.str_)


def _schedule(flights: pa.Table) -> dict[str, Floats32]:
    columns = {
        "hour": _column(flights["hour"], np.float32),
        "weekday": (_days(flights) % 7).astype(np.float32),  # Monday is 0; 7 January was one
        "distance_miles": _column(flights["distance"], np.float32),
    }
    for name, known in (("origin", AIRPORTS), ("carrier", CARRIERS)):
        for value in known:
            columns[f"{name}={value}"] = _column(pc.equal(flights[name], value), np.float32)
    return columns


def _observations(flights: pa.Table, weather: pa.Table) -> dict[str, Floats32]:
    """Temperature and dew point of each flight's hour at its airport."""
    place = np.argsort(where := _places(weather), kind="stable")
    found = np.searchsorted(where, asked := _places(flights), sorter=place)
    rows = place[found.clip(max=len(place) - 1)]
    absent = where[rows] != asked
    temperature, dew_point = (
        np.where(absent, np.nan, _column(weather[name], np.float32)[rows]).astype(np.float32)
        for name in ("temp", "dewp")
    )
    return {"temperature_f": temperature, "dew_point_f": dew_point}


def _places(rows: pa.Table) -> Ints:
    """Airport and hour as one number."""
    hours = np.asarray(rows["time_hour"].to_numpy(), dtype="datetime64[h]").astype(np.int64)
    airports = _column(pc.index_in(rows["origin"], pa.array(AIRPORTS)), np.int64)
    return np.asarray(hours * len(AIRPORTS) + airports)
