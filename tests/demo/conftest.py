"""Small made-up rows in the shape of the real files, for what needs no real data."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo import census
from demo.census import Census

FLIGHT_COLUMNS = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,"
    "carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour"
)
FLIGHT_ROWS = (
    "2013,1,7,900,905,-5,1100,1110,20,UA,11,N1,EWR,IAH,227,1400,9,5,2013-01-07T14:00:00Z",
    "2013,1,1,517,515,2,830,819,11,UA,1545,N2,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z",
    "2013,4,1,NA,2359,NA,NA,345,NA,B6,739,NA,JFK,PSE,NA,1617,23,59,2013-04-02T03:00:00Z",
)
WEATHER_COLUMNS = (
    "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,"
    "visib,time_hour"
)
WEATHER_ROWS = (
    "EWR,2013,1,1,5,39.02,26.06,59.37,270,10.3,NA,0,1012,10,2013-01-01T10:00:00Z",
    "EWR,2013,1,7,9,50.0,NA,59.37,270,10.3,NA,0,1012,10,2013-01-07T14:00:00Z",
    "LGA,2013,4,1,23,61.0,40.0,59.37,270,10.3,NA,0,1012,10,2013-04-02T03:00:00Z",
)


@pytest.fixture
def flights_folder(tmp_path: Path) -> Path:
    """Three flights, not in order, and weather for two of them."""
    flights = io.StringIO("\n".join((FLIGHT_COLUMNS, *FLIGHT_ROWS, "")))
    with zipfile.ZipFile(tmp_path / "flights.csv.zip", "w") as archive:
        archive.writestr("flights.csv", flights.getvalue())
    (tmp_path / "weather.csv").write_text("\n".join((WEATHER_COLUMNS, *WEATHER_ROWS, "")))
    return tmp_path


@pytest.fixture
def people() -> Census:
    """Six hundred people of which a hundred are under 16, in two races that differ in age."""
    return made_up_people(600)


def made_up_people(count: int, *, year: int = 2015) -> Census:
    rng = np.random.default_rng(7)
    race = np.where(np.arange(count) < count // 2, 1, 9)
    age = np.where(race == 1, rng.integers(20, 60, count), rng.integers(5, 45, count))
    codes = {name: rng.integers(1, 3, count) for name in census.CODES}
    codes["MAR"] = rng.integers(1, 6, count)
    employed = ((age >= 18) & (rng.random(count) < 0.8)).astype(np.int64)
    return Census(
        year=year,
        ids=np.arange(count),
        columns={
            **codes,
            "AGEP": age,
            "SCHL": rng.integers(0, 25, count),
            "RAC1P": race,
            "SEX": rng.integers(1, 3, count),
        },
        employed=employed,
    )


@pytest.fixture
def census_folder(tmp_path: Path) -> Path:
    """The three parquet files with two people a year."""
    for name, years in ((census.REFERENCE, (2015,)), (census.ANALYSIS, (2016, 2017))):
        rows = 2 * len(years)
        texts = {
            column: pa.array([str(1 + at % 2) for at in range(rows)]).dictionary_encode()
            for column in (*census.CODES, *census.PROTECTED, "SCHL")
        }
        table = {
            "id": list(range(rows)),
            "AGEP": [30.0 + at for at in range(rows)],
            **texts,
            "year": [year for year in years for _ in range(2)],
        }
        if name == census.REFERENCE:
            table["employed"] = [1, 0]
        pq.write_table(pa.table(table), tmp_path / name)
    pq.write_table(
        pa.table({"id": [0, 1, 2, 3], "employed": [0, 1, 1, 1]}), tmp_path / census.ANSWERS
    )
    return tmp_path
